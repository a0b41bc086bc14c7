"""The sweeper: finds lost and overdue jobs and repairs them from the database alone."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from governance.audit.types import Actor
from governance.jobs.choices import JobState
from governance.jobs.dispatch import TASKS, dispatch_each, queue_length
from governance.jobs.leases import expired_jobs, lock_expired
from governance.jobs.models import Job
from governance.jobs.queries import overdue_jobs, sent_job_count, unanswered_jobs, unsent_jobs
from governance.jobs.stopping import STOPPABLE, stopped_jobs
from governance.jobs.types import Ending
from governance.kernel.reason_codes import ReasonCode
from governance.workflows.attempts import send_back_or_fail
from governance.workflows.cancel_job import end_stopped
from governance.workflows.evidence import end_job

logger = logging.getLogger(__name__)

BATCH = 500
SWEEPER = Actor("system", "sweeper")
LEASE_EXPIRED = Ending.because(ReasonCode.LEASE_EXPIRED)
DEADLINE_EXCEEDED = Ending.because(ReasonCode.DEADLINE_EXCEEDED)


@dataclass(frozen=True, slots=True)
class SweepReport:
    """How many jobs were cancelled, taken back from lost workers, ended as overdue, and sent again."""

    stopped: int
    recovered: int
    overdue: int
    resent: int


def sweep() -> SweepReport:
    """Do one round. Safe to run at any time and in any number of processes."""
    stopped = _count(_end_stopped, stopped_jobs().order_by("id").values_list("id", flat=True)[:BATCH])
    overdue = _count(_end_overdue, overdue_jobs(limit=BATCH))
    recovered = _count(_recover, expired_jobs(limit=BATCH))
    resent = dispatch_each(unsent_jobs(limit=BATCH)) + sum(_resend_lost(state) for state in TASKS)
    return SweepReport(stopped=stopped, recovered=recovered, overdue=overdue, resent=resent)


def _count(put_right: Callable[[UUID], bool], job_ids: Iterable[UUID]) -> int:
    """Return how many jobs were repaired. One that cannot be is logged and does not block the others."""
    done = 0
    for job_id in job_ids:
        try:
            done += put_right(job_id)
        except Exception:
            logger.exception("job %s: the sweeper could not repair it", job_id)
    return done


def _resend_lost(state: JobState) -> int:
    """Send only as many jobs again as messages are missing: sweeping must not lengthen a queue that is merely long."""
    missing = sent_job_count(state=state) - queue_length(TASKS[state].queue)
    return dispatch_each(unanswered_jobs(state=state, limit=min(missing, BATCH))) if missing > 0 else 0


def _end_stopped(job_id: UUID) -> bool:
    return end_stopped(job_id=job_id, actor=SWEEPER)


def _recover(job_id: UUID) -> bool:
    with transaction.atomic():
        job = lock_expired(job_id)
        if job is None:
            return False
        logger.warning("job %s: lease %d of %s ran out", job.id, job.fencing_token, job.lease_owner)
        send_back_or_fail(job=job, actor=SWEEPER, ending=LEASE_EXPIRED)
    return True


def _end_overdue(job_id: UUID) -> bool:
    with transaction.atomic():
        job = Job.objects.select_for_update(skip_locked=True, of=("self",)).filter(id=job_id).first()
        if job is None or job.state not in STOPPABLE:
            return False
        end_job(job=job, to=JobState.CANCELLED, actor=SWEEPER, ending=DEADLINE_EXCEEDED)
    return True
