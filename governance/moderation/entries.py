"""Kinds of ledger entries of moderation."""

from typing import Annotated, Self

from governance.audit.recording.declarations import Entry, entry
from governance.moderation.models import ModerationVerdict


@entry("moderation.recorded", subject="job")
class ModerationRecorded(Entry):
    """A moderation model looked at the input or the output of a job."""

    stage: Annotated[str, "What it looked at: `input` or `output`."]
    content_sha256: Annotated[str, "SHA-256 of what it looked at."]
    moderator_sha256: Annotated[str, "SHA-256 of the moderation model."]
    score_permille: Annotated[int, "Its score, from 0 to 1000."]

    @classmethod
    def of(cls, verdict: ModerationVerdict) -> Self:
        """Return the entry about a verdict."""
        return cls(
            stage=str(verdict.stage),
            content_sha256=verdict.content_sha256,
            moderator_sha256=verdict.moderator_sha256,
            score_permille=round(verdict.score * 1000),
        )
