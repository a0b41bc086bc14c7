"""Why a job must not go on, whatever policy says. One reason counts: the one that came first.

A request to cancel counts from the moment at which it was accepted; a request for a job that is cut off already ends
the job for that reason instead. Among cut-offs a revoked token comes before a suspended partner, which may be lifted.
Withdrawn consent, other facts and deadlines become the reason of an end when a decision or the sweeper ends the job.
"""

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from governance.jobs.choices import JobState
from governance.jobs.errors import JobCancelRequested, JobStopped
from governance.jobs.models import OPEN_STATES, WORKED_ON, Job
from governance.kernel import clock
from governance.kernel.reason_codes import ReasonCode
from governance.partners.choices import PartnerStatus
from governance.partners.cut_off import cut_off
from governance.partners.models import AccessToken
from governance.partners.types import LONGEST_TOKEN_LIFE

#: The states from which a job can be stopped: once it is sealing, its release is decided and signed.
STOPPABLE = [state for state in OPEN_STATES if state != JobState.SEALING]


def stop_reason(job: Job) -> ReasonCode | None:
    """Return why a job that the caller holds a row lock on must end as cancelled; None if it may go on.

    No cut-off comes in between until the transaction ends.
    """
    return ReasonCode.CANCELLED_ON_REQUEST if job.cancel_requested else cut_off(job.token_use)


def require_going_on(job: Job) -> None:
    """Raise JobStopped, JobCancelRequested if a job that the caller holds a row lock on must end as cancelled."""
    reason = stop_reason(job)
    if reason is not None:
        raise JobCancelRequested if reason == ReasonCode.CANCELLED_ON_REQUEST else JobStopped(reason)


def is_held(job: Job) -> bool:
    """Return whether a worker holds the job now: it has the lease, and the lease has not ended."""
    return job.state in WORKED_ON and job.lease_until is not None and job.lease_until > clock.now()


def stopped_jobs() -> QuerySet[Job]:
    """Return the jobs to end: cut off, or with a request to cancel that no worker is there to see."""
    unheld = ~Q(state__in=WORKED_ON) | Q(lease_until__lte=clock.now())
    return Job.objects.filter(_is_cut_off() | (Q(cancel_requested=True) & unheld), state__in=STOPPABLE)


def _is_cut_off() -> Q:
    """Return the condition for which `cut_off` gives a reason."""
    issued_at = Coalesce("token_issued_at", F("created_at") - LONGEST_TOKEN_LIFE)
    good = AccessToken.objects.filter(pk=OuterRef("token_id"), revoked_at=None)
    revoked = Q(token__isnull=False) & ~Q(Exists(good))
    return Q(partner__tokens_valid_after__gte=issued_at) | ~Q(partner__status=PartnerStatus.ACTIVE) | revoked
