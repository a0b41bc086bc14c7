"""Leases: who works on a job now. The database is the truth; a queue message is only a hint.

Every lease raises the job's fencing token. A worker proves that its lease is current by presenting that token under the
row lock, so a worker that was presumed dead cannot change anything when it comes back.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from governance.audit.types import Actor
from governance.jobs.choices import JobState
from governance.jobs.errors import JobCancelRequested, LeaseLost
from governance.jobs.models import WORKED_ON, Job
from governance.jobs.services import move
from governance.jobs.states import GOES_BACK, TAKEN_UP
from governance.jobs.stopping import is_held, require_going_on, stop_reason
from governance.jobs.types import Ending, Lease
from governance.kernel import clock

BACKOFF_BASE = timedelta(seconds=2)
BACKOFF_MOST = timedelta(minutes=5)


def take_lease(*, job_id: UUID, owner: str, waiting: JobState) -> Lease | None:
    """Take a job that waits in state `waiting`; None if it does not wait there, not yet, or another worker has it.

    None also for a job that must not go on; the sweeper ends it.
    """
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(id=job_id, state=waiting, not_before__lte=clock.now())
            .first()
        )
        if job is None or stop_reason(job) is not None:
            return None
        job.fencing_token += 1
        job.attempts += 1
        job.lease_owner = owner
        move(job=job, to=TAKEN_UP[waiting], actor=worker(owner), lease_until=lease_end())
        return Lease(job_id=job.id, owner=owner, fencing_token=job.fencing_token)


def renew_lease(lease: Lease) -> None:
    """Renew the lease. Raises LeaseLost, or JobCancelRequested when the job is to stop."""
    held = Job.objects.filter(
        id=lease.job_id, fencing_token=lease.fencing_token, state__in=WORKED_ON, lease_until__gt=clock.now()
    )
    if not held.update(lease_until=lease_end()):
        raise LeaseLost("The lease on this job has ended; another worker may have taken it.")
    if held.filter(cancel_requested=True).exists():
        raise JobCancelRequested


def lock_leased(lease: Lease) -> Job:
    """Return the job under a row lock for the rest of the transaction, to go on with it.

    Raises LeaseLost if the lease is not current, JobStopped if the job must not go on.
    """
    job = lock_held(lease)
    require_going_on(job)
    return job


def lock_held(lease: Lease) -> Job:
    """Return the job under a row lock for the rest of the transaction. Raises LeaseLost if the lease is not current."""
    job = Job.objects.select_for_update(of=("self",)).filter(id=lease.job_id).first()
    if job is None or job.fencing_token != lease.fencing_token or not is_held(job):
        raise LeaseLost("The lease on this job has ended; another worker may have taken it.")
    return job


def give_back(*, job: Job, actor: Actor, ending: Ending) -> bool:
    """Send a locked job back to waiting, with a growing delay; do nothing and return False when no attempt is left."""
    if job.attempts >= job.max_attempts:
        return False
    job.not_before = clock.now() + min(BACKOFF_BASE * 2 ** (job.attempts - 1), BACKOFF_MOST)
    job.dispatched_at = None
    move(job=job, to=GOES_BACK[job.state], actor=actor, ending=ending)
    return True


def expired_jobs(*, limit: int) -> list[UUID]:
    """Return the jobs whose lease has expired, oldest first."""
    late = Job.objects.filter(state__in=WORKED_ON, lease_until__lte=clock.now())
    return list(late.order_by("lease_until").values_list("id", flat=True)[:limit])


def lock_expired(job_id: UUID) -> Job | None:
    """Return the job under a row lock if its lease has expired and nobody else has the row locked."""
    return (
        Job.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(id=job_id, state__in=WORKED_ON, lease_until__lte=clock.now())
        .first()
    )


def forget_attempts(job: Job) -> None:
    """Reset the attempt count for the next stage of a locked job. Saved with the next move."""
    job.attempts = 0
    job.dispatched_at = None
    job.not_before = clock.now()


def mark_dispatched(job_id: UUID) -> None:
    """Record that a message for the job was sent to the broker now."""
    Job.objects.filter(id=job_id).update(dispatched_at=clock.now())


def lease_end() -> datetime:
    """Return the end of a lease that starts now."""
    return clock.now() + timedelta(seconds=settings.ASSENT_LEASE_SECONDS)


def worker(owner: str) -> Actor:
    """Return the actor that stands for a worker process in the ledger."""
    return Actor("worker", owner)
