"""One attempt of a worker at a job: how it is kept alive, and what becomes of the job when the attempt fails."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import transaction

from governance.audit.types import Actor
from governance.decisions.errors import PermitInvalid
from governance.decisions.types import AccessContext
from governance.jobs.choices import JobState
from governance.jobs.errors import JobCancelRequested, LeaseLost
from governance.jobs.leases import give_back, lock_leased, worker
from governance.jobs.models import Job
from governance.jobs.types import Ending, Lease
from governance.kernel import clock
from governance.kernel.errors import GovernanceError, Unavailable
from governance.kernel.reason_codes import ReasonCode
from governance.partners.types import Coverage
from governance.workflows.evidence import end_job
from governance.workflows.keep_alive import KeepAlive

logger = logging.getLogger(__name__)

NOTHING = Coverage(frozenset(), frozenset(), frozenset(), frozenset())

#: Refusals of a permit that a fresh decision may overcome: the world changed between issue and use.
PASSING_REFUSALS = frozenset({"permit_expired", "permit_consent_changed", "permit_policy_changed"})


@contextmanager
def attempt(lease: Lease) -> Iterator[KeepAlive]:
    """Work on a leased job inside the block; its lease is renewed meanwhile.

    What the block raises decides the job's fate and does not go further.

    A lost lease changes nothing; a cancel request cancels; a passing fault sends the job back for another attempt while
    there is one; anything else ends the job as failed, with the fault's code.
    """
    try:
        with KeepAlive(lease) as alive:
            yield alive
    except LeaseLost:
        logger.warning("job %s: lease %d was lost, its work is dropped", lease.job_id, lease.fencing_token)
    except JobCancelRequested:
        _conclude(lease, JobState.CANCELLED, Ending.because(ReasonCode.CANCELLED_ON_REQUEST))
    except GovernanceError as error:
        logger.warning("job %s: %s (%s)", lease.job_id, error.message, error.error_code)
        ending = Ending(error.error_code, error.message)
        _send_back(lease, ending) if _is_passing(error) else _conclude(lease, JobState.FAILED, ending)
    except Exception:
        logger.exception("job %s: the worker failed", lease.job_id)
        _send_back(lease, Ending.because(ReasonCode.WORKER_ERROR))


def context_of(job: Job) -> AccessContext:
    """Return on whose behalf a stored job runs: the partner as it is now, the token as it was.

    A token that was revoked with all of its partner's covers nothing any more, also for jobs that it submitted before.
    """
    cut = job.partner.tokens_valid_after
    revoked = cut is not None and job.created_at <= cut
    return AccessContext(
        partner=job.partner,
        client_id=job.client.client_id,
        token=NOTHING if revoked else Coverage.from_details(job.token_grant),
        purpose=job.purpose,
        at=clock.now(),
    )


def send_back_or_fail(*, job: Job, actor: Actor, ending: Ending) -> None:
    """Send a locked job back for another attempt, or end it as failed when it had all its attempts."""
    if not give_back(job=job, actor=actor, ending=ending):
        code = ReasonCode.ATTEMPTS_EXHAUSTED
        message = f"{code.sentence} The last one ended with: {ending.message}"
        end_job(job=job, to=JobState.FAILED, actor=actor, ending=Ending(code, message))


def _is_passing(error: GovernanceError) -> bool:
    if isinstance(error, PermitInvalid):
        return error.error_code in PASSING_REFUSALS
    return isinstance(error, Unavailable)


def _conclude(lease: Lease, to: JobState, ending: Ending) -> None:
    _settle(lease, lambda job: end_job(job=job, to=to, actor=worker(lease.owner), ending=ending))


def _send_back(lease: Lease, ending: Ending) -> None:
    _settle(lease, lambda job: send_back_or_fail(job=job, actor=worker(lease.owner), ending=ending))


def _settle(lease: Lease, put_down: Callable[[Job], object]) -> None:
    """Put the attempt's end down while the lease stands; a lease lost by now leaves the job to its heir."""
    try:
        with transaction.atomic():
            put_down(lock_leased(lease))
    except LeaseLost:
        logger.warning("job %s: lease %d was lost before its end was put down", lease.job_id, lease.fencing_token)
