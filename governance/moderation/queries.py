"""Queries about moderation verdicts."""

from uuid import UUID

from governance.moderation.choices import ModerationStage
from governance.moderation.models import ModerationVerdict


def latest_verdict(*, job_id: UUID, stage: ModerationStage) -> ModerationVerdict | None:
    """Return the newest verdict on a job's input or output."""
    return ModerationVerdict.objects.filter(job_id=job_id, stage=stage).order_by("-fencing_token").first()


def verdicts_for_job(job_id: UUID) -> list[ModerationVerdict]:
    """Return every verdict on a job, oldest first."""
    return list(ModerationVerdict.objects.filter(job_id=job_id).order_by("created_at"))
