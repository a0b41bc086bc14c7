"""Tasks of the queue `control`: they are light, and everything else waits for them."""

import logging
from uuid import UUID

from celery import shared_task

from governance.audit.evidence.anchoring import anchor_pending
from governance.audit.log import checkpoints
from governance.audit.types import Actor
from governance.jobs.tasks import Task
from governance.kernel.errors import Unavailable
from governance.partners.tokens import clear_expired_tokens
from governance.workflows import replay, seal_job, sweep
from governance.workflows import scrub as scrub_workflow
from governance.workflows.reconcile.run import reconcile_nightly
from inference_workers.identity import worker_name

logger = logging.getLogger(__name__)


@shared_task(name=Task.SEAL_JOB)
def seal(job_id: str) -> None:
    """Write the evidence of a release to WORM and publish the output."""
    seal_job.seal_job(job_id=UUID(job_id), actor=_worker())


@shared_task(name=Task.ANCHOR_EVIDENCE)
def anchor_evidence() -> None:
    """Write waiting evidence to WORM."""
    anchor_pending()


@shared_task(name=Task.ADVANCE_LOG)
def advance_log() -> None:
    """Put waiting entries into the log and publish a checkpoint. An error is logged; the schedule tries again."""
    try:
        checkpoints.advance_log()
    except Unavailable as error:
        logger.error("The log did not advance: %s (%s)", error.message, error.error_code)


@shared_task(name=Task.REPLAY_DRAFT)
def replay_draft(report_id: str) -> None:
    """Replay a draft for a few seconds, and send the rest to the queue again."""
    replay.work_on_replay(report_id=UUID(report_id), actor=_worker())


@shared_task(name=Task.RESUME_REPLAYS)
def resume_replays() -> None:
    """Send replays again that no worker continues."""
    replay.resume_replays()


@shared_task(name=Task.SWEEP_JOBS)
def sweep_jobs() -> None:
    """Recover lost jobs, end overdue ones, and send waiting ones again."""
    sweep.sweep()


@shared_task(name=Task.RECONCILE, acks_late=False)
def reconcile() -> None:
    """Compare database, log and WORM storage. Acknowledged first: it may take hours."""
    reconcile_nightly()


@shared_task(name=Task.START_SCRUB)
def start_scrub() -> None:
    """Start the scrub of the night."""
    scrub_workflow.start_scheduled_scrub()


@shared_task(name=Task.SCRUB)
def scrub(run_id: str, done: str) -> None:
    """Read WORM objects back for a few seconds, and send the rest to the queue again."""
    scrub_workflow.work_on_scrub(run_id=UUID(run_id), done=int(done), actor=_worker())


@shared_task(name=Task.RESUME_SCRUBS)
def resume_scrubs() -> None:
    """Send scrubs again that no worker continues."""
    scrub_workflow.resume_scrubs()


@shared_task(name=Task.CLEAR_TOKENS)
def clear_tokens() -> None:
    """Remove tokens that expired long ago."""
    clear_expired_tokens()


def _worker() -> Actor:
    return Actor("worker", worker_name())
