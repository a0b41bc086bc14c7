"""What the ledger says of moderation must match its verdicts."""

from governance.audit.recording.reconciling import Pairing, declare_checks
from governance.moderation.entries import ModerationRecorded

VERDICTS = Pairing(
    code="verdict",
    noun="moderation of job",
    rows="SELECT job_id || ' ' || stage AS key, id AS ord, * FROM moderation_moderationverdict",
    entries=(ModerationRecorded,),
    key="e.subject_id || ' ' || (e.data ->> 'stage')",
    differs={
        "content_sha256": ("r.content_sha256", "e.data ->> 'content_sha256'"),
        "moderator_sha256": ("r.moderator_sha256", "e.data ->> 'moderator_sha256'"),
        # The log holds thousandths, rounded; a tie may round either way.
        "score": ("true", "abs(r.score * 1000 - (e.data ->> 'score_permille')::float8) <= 0.5001"),
    },
)

declare_checks(VERDICTS)
