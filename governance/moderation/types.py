"""Values of the moderation area."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scored:
    """The verdict of one moderation model on some content. Scores are from 0 to 1."""

    content_sha256: str
    moderator: str
    moderator_sha256: str
    score: float
    labels: tuple[tuple[str, float], ...]
    duration_ms: int
