"""Errors of the jobs area."""

from governance.kernel.errors import Conflict, GovernanceError, LimitExceeded, NotFound
from governance.kernel.reason_codes import ReasonCode


class JobNotFound(NotFound):
    """There is no such job, or it belongs to another partner."""

    code = "job_not_found"


class TransitionRefused(Conflict):
    """A job cannot move from its state to the requested one."""

    code = "job_transition_refused"
    title = "The job cannot change that way"


class LeaseLost(Conflict):
    """The lease is not current: its holder must stop and write nothing."""

    code = "lease_lost"


class JobStopped(GovernanceError):
    """The job must not go on, whatever policy says; its worker ends it at the next safe point for the `reason`."""

    code = "job_stopped"

    def __init__(self, reason: ReasonCode) -> None:
        super().__init__(reason.sentence)
        self.reason = reason


class JobCancelRequested(JobStopped):
    """Cancellation of the job was requested."""

    code = "cancel_requested"

    def __init__(self) -> None:
        super().__init__(ReasonCode.CANCELLED_ON_REQUEST)


class IdempotencyConflict(Conflict):
    """The Idempotency-Key was used before, with another request."""

    code = "idempotency_key_reused"
    title = "The Idempotency-Key belongs to another request"


class TooManyOpenJobs(LimitExceeded):
    """The partner already has as many open jobs as its tier allows."""

    code = "too_many_open_jobs"
    title = "Too many open jobs"


class OutputNotReleased(Conflict):
    """The job has no released output (yet)."""

    code = "output_not_released"
    title = "No output was released"
