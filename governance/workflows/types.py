"""Values of the use cases that cross areas. No Django here: runtimes and moderators use them too."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from governance.kernel.canonical import Json


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a partner asks for. `model_ref` is a version or an alias; None means the alias `production`."""

    model: str
    model_ref: str | None
    task: str
    purpose: str
    inputs: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class RuntimeResult:
    """What a model runtime made: encoded image, size in pixels, device, milliseconds spent computing."""

    image: bytes
    media_type: str
    width: int
    height: int
    device: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Highest confidence, 0 to 1, with which a moderator detected a label."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class ModerationScores:
    """What a moderator detected: `score` is the highest confidence among unsafe labels, 0 to 1."""

    score: float
    labels: tuple[LabelScore, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an output states about its origin. Machine ids only."""

    job_id: str
    decision_id: str
    permit_id: str
    model: str
    model_version: str
    artifact_sha256: str
    client_id: str


@dataclass(frozen=True, slots=True)
class AppliedImage:
    """An output after its obligations were carried out, and the list of those."""

    image: bytes
    media_type: str
    width: int
    height: int
    applied: tuple[Mapping[str, Json], ...]
