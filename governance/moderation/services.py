"""Recording moderation verdicts."""

from django.db import transaction

from governance.audit.recording.record import record
from governance.audit.types import SubjectRef
from governance.jobs.leases import lock_leased, worker
from governance.jobs.types import Lease
from governance.moderation.choices import ModerationStage
from governance.moderation.entries import ModerationRecorded
from governance.moderation.models import ModerationVerdict
from governance.moderation.types import Scored


def record_verdict(*, lease: Lease, stage: ModerationStage, scored: Scored) -> ModerationVerdict:
    """Record the verdict on a job's input or output. Raises LeaseLost when the lease is not current."""
    with transaction.atomic():
        job = lock_leased(lease)
        verdict = ModerationVerdict.objects.create(
            job=job,
            stage=stage,
            fencing_token=lease.fencing_token,
            content_sha256=scored.content_sha256,
            moderator=scored.moderator,
            moderator_sha256=scored.moderator_sha256,
            score=scored.score,
            labels=[{"label": label, "score": score} for label, score in scored.labels],
            duration_ms=scored.duration_ms,
        )
        record(ModerationRecorded.of(verdict), subject=SubjectRef("job", str(job.id)), actor=worker(lease.owner))
    return verdict
