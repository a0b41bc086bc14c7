"""Kinds of ledger entries of jobs, and the predicate of the evidence that a job ends with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from governance.audit.recording.declarations import Entry, Since, entry, evidence_predicate

JOB_OUTCOME = evidence_predicate("job-outcome/v1")


@dataclass(frozen=True, kw_only=True)
class JobMoved(Entry):
    """The common fields of entries about a job that entered a state; the kind names the state."""

    left_out_when_none = frozenset({"request_sha256", "decision", "token", "token_issued_at"})

    from_: Annotated[str, "The state before; empty for a new job."]
    fencing_token: Annotated[int, "Number of the lease that the job had last; 0 before the first."]
    reason_code: Annotated[str, "Why, where a state has a reason; empty otherwise."]


@dataclass(frozen=True, kw_only=True)
class JobEntered(JobMoved):
    """A change of state that may be a job's first; its entry then also has the request and the decision."""

    request_sha256: Annotated[str | None, "SHA-256 of the request; only in the first entry of a job."] = None
    decision: Annotated[UUID | None, "Id of the decision at admission; only in the first entry of a job."] = None
    token: Annotated[
        str | None, "Id of the access token that it was submitted with; only in the first entry of a job.", Since("0.3")
    ] = None
    token_issued_at: Annotated[
        datetime | None, "When that token was issued; only in the first entry of a job.", Since("0.3")
    ] = None


@entry("job.queued", subject="job")
class JobQueued(JobEntered):
    """A job was admitted, or goes back to wait for another attempt."""


@entry("job.denied", subject="job")
class JobDenied(JobEntered):
    """Policy denied a job at admission, or denied the release of its output. A job ends with it."""


@entry("job.leased", subject="job")
class JobLeased(JobMoved):
    """A worker took a job, under a lease that expires."""


@entry("job.running", subject="job")
class JobRunning(JobMoved):
    """The worker got a permit and begins to run the model."""


@entry("job.moderating", subject="job")
class JobModerating(JobMoved):
    """The model has run; the output waits for moderation."""


@entry("job.releasing", subject="job")
class JobReleasing(JobMoved):
    """The output is moderated, and its release is decided and carried out."""


@entry("job.sealing", subject="job")
class JobSealing(JobMoved):
    """The output may be released, once its evidence is in WORM storage."""


@entry("job.released", subject="job")
class JobReleased(JobMoved):
    """The output was released to the partner. A job ends with it."""


@entry("job.cancelled", subject="job")
class JobCancelled(JobMoved):
    """A job was cancelled on request. A job ends with it."""


@entry("job.failed", subject="job")
class JobFailed(JobMoved):
    """A job could not be carried out, and is not tried again. A job ends with it."""


@entry("job.cancel_requested", subject="job")
class JobCancelRequestAccepted(Entry):
    """Cancellation was requested while a worker had the job, which can end as cancelled only."""
