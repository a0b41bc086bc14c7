"""Leases: who works on a job now. The database is the truth; a queue message is only a hint.

Every lease raises the job's fencing token. A worker proves that its lease still stands by showing that token under the
row lock, so a worker that was thought dead can come back and still change nothing.
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
from governance.jobs.types import Ending, Lease
from governance.kernel import clock

BACKOFF_BASE = timedelta(seconds=2)
BACKOFF_MOST = timedelta(minutes=5)


def take_lease(*, job_id: UUID, owner: str, waiting: JobState) -> Lease | None:
    """Take up a job that waits in state `waiting`; None when it does not, not yet, or another worker is at it."""
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(id=job_id, state=waiting, not_before__lte=clock.now())
            .first()
        )
        if job is None:
            return None
        job.fencing_token += 1
        job.attempts += 1
        job.lease_owner = owner
        move(job=job, to=TAKEN_UP[waiting], actor=worker(owner), lease_until=lease_end())
        return Lease(job_id=job.id, owner=owner, fencing_token=job.fencing_token)


def renew_lease(lease: Lease) -> None:
    """Keep the job for another lease time. Raises LeaseLost, or JobCancelRequested when it is to stop."""
    held = Job.objects.filter(
        id=lease.job_id, fencing_token=lease.fencing_token, state__in=WORKED_ON, lease_until__gt=clock.now()
    )
    if not held.update(lease_until=lease_end()):
        raise LeaseLost("The lease on this job has ended; another worker may have taken it.")
    if held.filter(cancel_requested=True).exists():
        raise JobCancelRequested("Cancellation of the job was requested.")


def lock_leased(lease: Lease) -> Job:
    """Return the job under a row lock for the rest of the transaction. Raises LeaseLost if it is another's."""
    job = Job.objects.select_for_update(of=("self",)).filter(id=lease.job_id).first()
    current = job is not None and job.fencing_token == lease.fencing_token and job.state in WORKED_ON
    if job is None or not current or job.lease_until is None or job.lease_until <= clock.now():
        raise LeaseLost("The lease on this job has ended; another worker may have taken it.")
    return job


def give_back(*, job: Job, actor: Actor, ending: Ending) -> bool:
    """Send a locked job back to where it waits, later each time; False, and nothing done, when no attempt is left."""
    if job.attempts >= job.max_attempts:
        return False
    job.not_before = clock.now() + min(BACKOFF_BASE * 2 ** (job.attempts - 1), BACKOFF_MOST)
    job.dispatched_at = None
    move(job=job, to=GOES_BACK[job.state], actor=actor, ending=ending)
    return True


def expired_jobs(*, limit: int) -> list[UUID]:
    """Return the jobs whose worker let its lease run out, oldest first."""
    late = Job.objects.filter(state__in=WORKED_ON, lease_until__lte=clock.now())
    return list(late.order_by("lease_until").values_list("id", flat=True)[:limit])


def lock_expired(job_id: UUID) -> Job | None:
    """Return the job under a row lock if its lease has run out and nobody else is dealing with it."""
    return (
        Job.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(id=job_id, state__in=WORKED_ON, lease_until__lte=clock.now())
        .first()
    )


def forget_attempts(job: Job) -> None:
    """Start counting attempts anew for the next stage of a locked job. Saved with the next move."""
    job.attempts = 0
    job.dispatched_at = None
    job.not_before = clock.now()


def mark_dispatched(job_id: UUID) -> None:
    """Note that a message for the job went to the broker now."""
    Job.objects.filter(id=job_id).update(dispatched_at=clock.now())


def lease_end() -> datetime:
    """Return when a lease taken now would end."""
    return clock.now() + timedelta(seconds=settings.ASSENT_LEASE_SECONDS)


def worker(owner: str) -> Actor:
    """Return the actor that a worker process is in the ledger."""
    return Actor("worker", owner)
