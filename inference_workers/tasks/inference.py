"""Tasks of the queue `inference`: they need the model runtime."""

from functools import cache
from uuid import UUID

from celery import shared_task
from django.conf import settings

from governance.decisions.permits import redeem
from governance.workflows import run_job as running
from governance.workflows.ports import ModelRuntime
from inference_workers.identity import worker_name
from inference_workers.moderators.nudenet import moderator
from inference_workers.runtimes.torch_upscaler import TorchUpscaler


@shared_task(name="assent.inference.run_job")
def run_job(job_id: str) -> None:
    """Run a job that waits for a model."""
    running.run_job(job_id=UUID(job_id), owner=worker_name(), runtime=runtime(), moderator=moderator())


@cache
def runtime() -> ModelRuntime:
    """Return the process's model runtime, which redeems permits itself."""
    return TorchUpscaler(redeem=redeem, device=settings.ASSENT_RUNTIME_DEVICE)
