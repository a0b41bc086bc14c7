"""The sweeper: finds what was lost or is late, and puts it right from the database alone."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from governance.audit.types import Actor
from governance.jobs.choices import JobState
from governance.jobs.dispatch import dispatch
from governance.jobs.leases import expired_jobs, lock_expired
from governance.jobs.models import OPEN_STATES, Job
from governance.jobs.queries import overdue_jobs, undispatched_jobs
from governance.jobs.types import Ending
from governance.workflows.attempts import send_back_or_fail
from governance.workflows.evidence import end_job

logger = logging.getLogger(__name__)

BATCH = 500
SWEEPER = Actor("system", "sweeper")
LEASE_EXPIRED = Ending("lease_expired", "The worker stopped answering.")
DEADLINE_EXCEEDED = Ending("deadline_exceeded", "The job was not finished by its deadline.")


@dataclass(frozen=True, slots=True)
class SweepReport:
    """How many jobs were taken back from lost workers, ended as overdue, and sent again."""

    recovered: int
    overdue: int
    resent: int


def sweep() -> SweepReport:
    """Do one round. Safe to run at any time, in any number of processes."""
    overdue = sum(_end_overdue(job_id) for job_id in overdue_jobs(limit=BATCH))
    recovered = sum(_recover(job_id) for job_id in expired_jobs(limit=BATCH))
    waiting = undispatched_jobs(limit=BATCH)
    resent = 0
    for job_id, state in waiting:
        if not dispatch(job_id=job_id, state=state):
            break
        resent += 1
    return SweepReport(recovered=recovered, overdue=overdue, resent=resent)


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
        if job is None or job.state not in OPEN_STATES or job.state == JobState.SEALING:
            return False
        end_job(job=job, to=JobState.CANCELLED, actor=SWEEPER, ending=DEADLINE_EXCEEDED)
    return True
