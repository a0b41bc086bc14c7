"""What runtimes and moderators give back. Structural match of the protocols in governance.workflows.ports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuntimeResult:
    """An output image: encoded bytes, size in pixels, the device that computed it and the time spent, in ms."""

    image: bytes
    media_type: str
    width: int
    height: int
    device: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Highest confidence, 0 to 1, with which a moderator saw `label`."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class ModerationScores:
    """Verdict material: `score` is the highest confidence among the unsafe labels, `labels` is what was seen at all."""

    score: float
    labels: tuple[LabelScore, ...]
