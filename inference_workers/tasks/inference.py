"""Tasks of the queue `inference`: they need the model runtime."""

from uuid import UUID

from celery import shared_task

from governance.jobs.tasks import Task
from governance.workflows import run_job as workflow
from inference_workers.chosen import moderator, runtime
from inference_workers.identity import worker_name


@shared_task(name=Task.RUN_JOB)
def run_job(job_id: str) -> None:
    """Moderate the input of a queued job and run its model."""
    workflow.run_job(job_id=UUID(job_id), owner=worker_name(), runtimes=runtime, moderator=moderator())
