"""One attempt of a worker at a job: how its lease is kept, and what happens to the job when it fails."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from governance.audit.types import Actor
from governance.decisions.errors import PermitInvalid
from governance.decisions.types import AccessContext
from governance.jobs.choices import JobState
from governance.jobs.errors import JobStopped, LeaseLost
from governance.jobs.leases import give_back, lock_held, take_lease, worker
from governance.jobs.models import Job
from governance.jobs.stopping import stop_reason
from governance.jobs.types import Ending, Lease
from governance.kernel import clock
from governance.kernel.errors import GovernanceError, Unavailable
from governance.kernel.reason_codes import ReasonCode
from governance.partners.types import Coverage
from governance.workflows.cancel_job import end_stopped
from governance.workflows.errors import JobEnded
from governance.workflows.evidence import end_job
from governance.workflows.keep_alive import KeepAlive

logger = logging.getLogger(__name__)

#: Refusals of a permit that a fresh decision may resolve: something changed between issue and use.
TRANSIENT_REFUSALS = frozenset(
    {
        "permit_expired",
        "permit_consent_changed",
        "permit_licence_changed",
        "permit_policy_changed",
        "permit_token_cut_off",
    }
)


def take_up(*, job_id: UUID, owner: str, waiting: JobState) -> Lease | None:
    """Take a job that waits in state `waiting`, as `take_lease` does; end it here and now if it must not go on."""
    lease = take_lease(job_id=job_id, owner=owner, waiting=waiting)
    if lease is None:
        end_stopped(job_id=job_id, actor=worker(owner))
    return lease


@contextmanager
def attempt(lease: Lease) -> Iterator[KeepAlive]:
    """Work on a leased job inside the block and renew its lease meanwhile.

    An exception from the block decides how the job goes on, and is not raised again. After a lost lease, or when the
    job has ended meanwhile, nothing changes. A job that must not go on is cancelled. A transient fault sends it back
    while it has attempts left. Anything else ends it as failed, with the fault's code.
    """
    try:
        with KeepAlive(lease) as alive:
            yield alive
    except JobEnded:
        logger.info("job %s: it ended while its worker computed", lease.job_id)
    except LeaseLost:
        logger.warning("job %s: lease %d was lost, its work is discarded", lease.job_id, lease.fencing_token)
    except JobStopped as stopped:
        _conclude(lease, JobState.CANCELLED, Ending.because(stopped.reason))
    except GovernanceError as error:
        logger.warning("job %s: %s (%s)", lease.job_id, error.message, error.error_code)
        ending = Ending(error.error_code, error.message)
        _send_back(lease, ending) if _is_transient(error) else _conclude(lease, JobState.FAILED, ending)
    except Exception:
        logger.exception("job %s: the worker failed", lease.job_id)
        _send_back(lease, Ending.because(ReasonCode.WORKER_ERROR))


def context_of(job: Job) -> AccessContext:
    """Return for whom a stored job runs: the partner as it is now, and the token as it was at submission."""
    return AccessContext(
        partner=job.partner,
        client_id=job.client.client_id,
        token=Coverage.from_details(job.token_grant),
        purpose=job.purpose,
        at=clock.now(),
    )


def send_back_or_fail(*, job: Job, actor: Actor, ending: Ending) -> None:
    """Send a locked job back for another attempt, or end it: as failed when no attempts are left.

    A job that must not go on ends as cancelled.
    """
    reason = stop_reason(job)
    if reason is not None:
        end_job(job=job, to=JobState.CANCELLED, actor=actor, ending=Ending.because(reason))
    elif not give_back(job=job, actor=actor, ending=ending):
        code = ReasonCode.ATTEMPTS_EXHAUSTED
        message = f"{code.sentence} The last one ended with: {ending.message}"
        end_job(job=job, to=JobState.FAILED, actor=actor, ending=Ending(code, message))


def _is_transient(error: GovernanceError) -> bool:
    if isinstance(error, PermitInvalid):
        return error.error_code in TRANSIENT_REFUSALS
    return isinstance(error, Unavailable)


def _conclude(lease: Lease, to: JobState, ending: Ending) -> None:
    _settle(lease, lambda job: end_job(job=job, to=to, actor=worker(lease.owner), ending=ending))


def _send_back(lease: Lease, ending: Ending) -> None:
    _settle(lease, lambda job: send_back_or_fail(job=job, actor=worker(lease.owner), ending=ending))


def _settle(lease: Lease, record_end: Callable[[Job], object]) -> None:
    """Record how the attempt ended if its lease still holds; otherwise the job belongs to the next worker."""
    try:
        with transaction.atomic():
            record_end(lock_held(lease))
    except LeaseLost:
        logger.warning("job %s: lease %d was lost before its end was recorded", lease.job_id, lease.fencing_token)
