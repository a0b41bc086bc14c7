"""Tasks of the queue `inference`: they need the model runtimes."""

from uuid import UUID

from celery import shared_task

from governance.workflows import run_job as run
from inference_workers.chosen import moderator, runtime
from inference_workers.identity import worker_name


@shared_task(name="assent.inference.run_job")
def run_job(job_id: str) -> None:
    """Run a job that waits for a model."""
    run.run_job(job_id=UUID(job_id), owner=worker_name(), runtimes=runtime, moderator=moderator())
