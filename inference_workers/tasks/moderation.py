"""Tasks of the queue `moderation`: they need the moderation model, not the model runtime."""

from uuid import UUID

from celery import shared_task

from governance.workflows import release_job as releasing
from inference_workers.chosen import moderator
from inference_workers.identity import worker_name
from inference_workers.obligations.carry_out import apply_obligations


@shared_task(name="assent.moderation.release_job")
def release_job(job_id: str) -> None:
    """Moderate and release a job whose result waits."""
    releasing.release_job(job_id=UUID(job_id), owner=worker_name(), moderator=moderator(), carry_out=apply_obligations)
