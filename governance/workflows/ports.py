"""What the workflows need from the worker fleet."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from governance.engines.types import Obligation
from governance.workflows.types import AppliedImage, ModerationScores, Provenance, RuntimeResult


class ModelRuntime(Protocol):
    """Runs a model on one image, and only with a permit that it redeems itself."""

    def run(
        self,
        *,
        permit_envelope: str,
        job_id: UUID,
        artifact: Path,
        config: Mapping[str, Any],
        image: bytes,
        heartbeat: Callable[[], None],
    ) -> RuntimeResult:
        """Return the output. Calls `heartbeat` at least once a second of work; what that raises goes through.

        Raises PermitInvalid when the permit is not good for these very bytes, RuntimeFault when the model cannot run.
        """


#: Returns a runtime by the name that model versions have for it. Raises AdapterUnknown.
Runtimes: TypeAlias = Callable[[str], ModelRuntime]


class Moderator(Protocol):
    """Scores an image for unsafe content."""

    @property
    def name(self) -> str:
        """Name and version of the moderation model."""

    @property
    def artifact_digest(self) -> str:
        """SHA-256 of the moderation model's artifact, in hexadecimal."""

    def score(self, image: bytes) -> ModerationScores:
        """Return what is seen in an encoded image. Raises a GovernanceError when it cannot be decoded."""


class ObligationHandler(Protocol):
    """Carries obligations out on an output image."""

    def __call__(self, image: bytes, obligations: Sequence[Obligation], provenance: Provenance) -> AppliedImage:
        """Return the image after all obligations. Raises ObligationUnsupported for one it does not know."""
