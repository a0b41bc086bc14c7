"""What the workflows need from the worker fleet."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from governance.engines.types import Obligation
from governance.workflows.types import AppliedImage, ModerationScores, Provenance, RuntimeResult

#: Asks whether the work may go on, and raises what must end it. Cheap, and safe to call often.
Heartbeat: TypeAlias = Callable[[], None]


class ModelRuntime(Protocol):
    """Runs a model on one image, only with a permit, which it redeems itself."""

    def run(
        self,
        *,
        permit_envelope: str,
        job_id: UUID,
        artifact: Path,
        config: Mapping[str, Any],
        image: bytes,
        heartbeat: Heartbeat,
    ) -> RuntimeResult:
        """Return the output. Calls `heartbeat` at least once per second of work and lets its exceptions through.

        Raises PermitInvalid when the permit does not cover exactly these bytes, RuntimeFault when the model cannot run.
        """


#: Returns the runtime that a model version names. Raises AdapterUnknown.
Runtimes: TypeAlias = Callable[[str], ModelRuntime]


class Moderator(Protocol):
    """Scores an image for unsafe content."""

    @property
    def name(self) -> str:
        """Name and version of the moderation model."""

    @property
    def artifact_digest(self) -> str:
        """SHA-256 of the moderation model's artifact, in hexadecimal."""

    def score(self, image: bytes, heartbeat: Heartbeat) -> ModerationScores:
        """Return what the model detects in an encoded image.

        Calls `heartbeat` at least once per second of work and lets its exceptions through. Raises a GovernanceError
        when the image cannot be decoded, or needs more work than one picture may cost.
        """


class ObligationHandler(Protocol):
    """Carries out obligations on an output image."""

    def __call__(
        self, image: bytes, obligations: Sequence[Obligation], provenance: Provenance, heartbeat: Heartbeat
    ) -> AppliedImage:
        """Return the image after all obligations were carried out. Raises ObligationUnsupported for an unknown one.

        Calls `heartbeat` at least once per second of work and lets its exceptions through.
        """
