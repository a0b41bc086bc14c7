"""Tasks of the queue `control`: light, and needed for everything else to move."""

import logging
from uuid import UUID

from celery import shared_task

from governance.audit.evidence.anchoring import anchor_pending
from governance.audit.log import checkpoints
from governance.audit.types import Actor
from governance.kernel.errors import Unavailable
from governance.partners.services import clear_expired_tokens
from governance.workflows import scrub as scrubbing
from governance.workflows import seal_job as sealing
from governance.workflows.reconcile import run as reconciliation
from governance.workflows.replay import resume_replays, work_on_replay
from governance.workflows.sweep import sweep
from inference_workers.identity import worker_name

logger = logging.getLogger(__name__)


@shared_task(name="assent.control.seal_job")
def seal_job(job_id: str) -> None:
    """Anchor a release's evidence and hand the output over."""
    sealing.seal_job(job_id=UUID(job_id), actor=Actor("worker", worker_name()))


@shared_task(name="assent.control.anchor_evidence")
def anchor_evidence() -> None:
    """Write waiting evidence to WORM."""
    anchor_pending()


@shared_task(name="assent.control.advance_log")
def advance_log() -> None:
    """Order waiting entries into the log and publish a checkpoint over them; an alarm and what is down come again."""
    try:
        checkpoints.advance_log()
    except Unavailable as error:
        logger.error("The log did not advance: %s (%s)", error.message, error.error_code)


@shared_task(name="assent.control.replay_draft")
def replay_draft(report_id: str) -> None:
    """Hold a draft against recorded decisions for a few seconds; what is left comes again."""
    work_on_replay(report_id=UUID(report_id), actor=Actor("worker", worker_name()))


@shared_task(name="assent.control.resume_replays")
def resume() -> None:
    """Take up replays that were left lying."""
    resume_replays()


@shared_task(name="assent.control.sweep_jobs")
def sweep_jobs() -> None:
    """Recover lost jobs, end overdue ones, send waiting ones again."""
    sweep()


@shared_task(name="assent.control.reconcile", acks_late=False)
def reconcile() -> None:
    """Hold database, log and WORM storage against each other. Taken off the queue first: it may take hours."""
    reconciliation.reconcile_nightly()


@shared_task(name="assent.control.start_scrub")
def start_scrub() -> None:
    """Start the scrub of the night."""
    scrubbing.start_scheduled_scrub()


@shared_task(name="assent.control.scrub")
def scrub(run_id: str, done: str) -> None:
    """Read WORM objects back for a few seconds; what is left comes again."""
    scrubbing.work_on_scrub(run_id=UUID(run_id), done=int(done), actor=Actor("worker", worker_name()))


@shared_task(name="assent.control.resume_scrubs")
def resume_scrubs() -> None:
    """Take up scrubs that were left lying."""
    scrubbing.resume_scrubs()


@shared_task(name="assent.control.clear_tokens")
def clear_tokens() -> None:
    """Remove tokens that expired long ago."""
    clear_expired_tokens()
