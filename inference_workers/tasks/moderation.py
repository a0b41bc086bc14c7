"""Tasks of the queue `moderation`: they need the moderation model, not the model runtime."""

from uuid import UUID

from celery import shared_task

from governance.jobs.tasks import Task
from governance.workflows import release_job as workflow
from inference_workers.chosen import moderator, obligations
from inference_workers.identity import worker_name


@shared_task(name=Task.RELEASE_JOB)
def release_job(job_id: str) -> None:
    """Moderate the output of a job that has run, and decide on its release."""
    workflow.release_job(job_id=UUID(job_id), owner=worker_name(), moderator=moderator(), carry_out=obligations())
