"""Values of the moderation area."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scored:
    """What one moderation model made of some content. Scores run from 0 to 1; `duration_ms` in milliseconds."""

    content_sha256: str
    moderator: str
    moderator_sha256: str
    score: float
    labels: tuple[tuple[str, float], ...]
    duration_ms: int
