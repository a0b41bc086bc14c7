"""Creating jobs and changing their state. Every change is checked and recorded in one place: `move`."""

from collections.abc import Mapping
from datetime import datetime

from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.decisions.choices import DecisionEffect
from governance.jobs.choices import JobState
from governance.jobs.entries import (
    JobCancelled,
    JobCancelRequestAccepted,
    JobDenied,
    JobEntered,
    JobFailed,
    JobLeased,
    JobModerating,
    JobMoved,
    JobQueued,
    JobReleased,
    JobReleasing,
    JobRunning,
    JobSealing,
)
from governance.jobs.errors import JobCancelRequested
from governance.jobs.models import WORKED_ON, Job, JobEvent, JobInput
from governance.jobs.states import ENDED, check_transition
from governance.jobs.types import Ending, NewJob
from governance.kernel import clock

#: The entry that each state writes when a job enters it.
MOVES: Mapping[JobState, type[JobMoved]] = {
    JobState.QUEUED: JobQueued,
    JobState.LEASED: JobLeased,
    JobState.RUNNING: JobRunning,
    JobState.MODERATING: JobModerating,
    JobState.RELEASING: JobReleasing,
    JobState.SEALING: JobSealing,
    JobState.RELEASED: JobReleased,
    JobState.DENIED: JobDenied,
    JobState.CANCELLED: JobCancelled,
    JobState.FAILED: JobFailed,
}


def create_job(*, new: NewJob, max_attempts: int, ending: Ending, actor: Actor) -> Job:
    """Store a job as admission decided: queued, or denied. Call inside the admission's transaction."""
    permitted = new.admission.effect == DecisionEffect.PERMIT
    first: type[JobEntered] = JobQueued if permitted else JobDenied
    job = Job(
        id=new.id,
        partner=new.partner,
        client=new.client,
        task=new.task,
        model_version=new.version,
        purpose=new.purpose,
        token_grant=list(new.token_grant),
        token_id=new.token_use.token,
        token_issued_at=new.token_use.issued_at,
        idempotency_key=new.idempotency_key,
        request_digest=new.request_digest,
        request_id=new.request_id,
        admission=new.admission,
        deadline=new.deadline,
        max_attempts=max_attempts,
        state="",
    )
    _enter(job, JobState.QUEUED if permitted else JobState.DENIED, ending)
    job.save(force_insert=True)
    JobInput.objects.bulk_create(JobInput(job=job, asset=asset, sha256=asset.sha256) for asset in new.assets)
    entry = first(
        from_="",
        fencing_token=job.fencing_token,
        reason_code=ending.code,
        request_sha256=new.request_digest,
        decision=new.admission.id,
        token=str(job.token_id),
        token_issued_at=job.token_issued_at,
    )
    _note(job, entry, actor)
    return job


def move(
    *, job: Job, to: JobState, actor: Actor, ending: Ending | None = None, lease_until: datetime | None = None
) -> Job:
    """Move a job whose row the caller has locked.

    Raises TransitionRefused, and JobCancelRequested where the job would not end although cancellation was requested.
    `lease_until` is needed for the states in which a worker holds the job and forbidden for the others.
    """
    before, ending = job.state, ending or Ending()
    _enter(job, to, ending)
    job.lease_until = lease_until
    if to not in WORKED_ON:
        job.lease_owner = ""
    job.save()
    entry = MOVES[to](from_=before, fencing_token=job.fencing_token, reason_code=ending.code)
    _note(job, entry, actor)
    return job


def ask_to_stop(*, job: Job, actor: Actor) -> None:
    """Ask the worker to stop a job that the caller holds a row lock on; asking twice is the same."""
    if not job.cancel_requested:
        job.cancel_requested = True
        job.save(update_fields=["cancel_requested"])
        record(JobCancelRequestAccepted(), subject=SubjectRef("job", str(job.id)), actor=actor)


def _enter(job: Job, to: JobState, ending: Ending) -> None:
    check_transition(job.state, to)
    if job.cancel_requested and to != JobState.CANCELLED:
        raise JobCancelRequested
    now = clock.now()
    job.state, job.updated_at = to, now
    job.reason_code, job.reason = ending.code, ending.message[:500]
    if to in ENDED:
        job.finished_at = now


def _note(job: Job, entry: JobMoved, actor: Actor) -> None:
    JobEvent.objects.create(
        job=job,
        from_state=entry.from_,
        to_state=job.state,
        actor_type=actor.type,
        actor_id=actor.id,
        reason_code=entry.reason_code,
        fencing_token=entry.fencing_token,
        at=job.updated_at,
    )
    record(entry, subject=SubjectRef("job", str(job.id)), actor=actor)
