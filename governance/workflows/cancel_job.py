"""Ending jobs before their time: on request, and those that must not go on."""

from uuid import UUID

from django.db import transaction

from governance.audit.types import Actor
from governance.jobs.choices import JobState
from governance.jobs.errors import TransitionRefused
from governance.jobs.models import Job
from governance.jobs.services import ask_to_stop
from governance.jobs.stopping import STOPPABLE, is_held, stop_reason, stopped_jobs
from governance.jobs.types import Ending
from governance.kernel.reason_codes import ReasonCode
from governance.workflows.evidence import end_job


def cancel_job(*, job: Job, actor: Actor) -> Job:
    """Cancel a job at once, or ask the worker that has it to stop. Safe to repeat.

    A job that is cut off already (`jobs.stopping`) ends for that reason, which came first. Raises TransitionRefused
    when the job has ended otherwise, or its release is decided and only its evidence remains to be sealed.
    """
    with transaction.atomic():
        locked = Job.objects.select_for_update(of=("self",)).get(id=job.id)
        if locked.state == JobState.CANCELLED:
            return locked
        if locked.state not in STOPPABLE:
            raise TransitionRefused(
                f"The job is {locked.get_state_display().lower()} and can no longer be cancelled.",
                details={"state": locked.state},
            )
        reason = stop_reason(locked) or ReasonCode.CANCELLED_ON_REQUEST
        if reason == ReasonCode.CANCELLED_ON_REQUEST and is_held(locked):
            ask_to_stop(job=locked, actor=actor)
        else:
            end_job(job=locked, to=JobState.CANCELLED, actor=actor, ending=Ending.because(reason))
    return locked


def end_stopped(*, job_id: UUID, actor: Actor) -> bool:
    """End a job that must not go on, as cancelled; return whether it did. Skips a job whose row is locked.

    One that a worker holds and that is only to be cancelled on request is left to that worker.
    """
    with transaction.atomic():
        job = stopped_jobs().select_for_update(skip_locked=True, of=("self",)).filter(id=job_id).first()
        reason = stop_reason(job) if job is not None else None
        if job is None or reason is None:
            return False
        end_job(job=job, to=JobState.CANCELLED, actor=actor, ending=Ending.because(reason))
    return True
