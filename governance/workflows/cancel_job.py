"""Cancelling a job on request."""

from django.db import transaction

from governance.audit.types import Actor
from governance.jobs.choices import JobState
from governance.jobs.errors import TransitionRefused
from governance.jobs.models import WORKED_ON, Job
from governance.jobs.services import ask_to_stop
from governance.jobs.types import Ending
from governance.kernel.reason_codes import ReasonCode
from governance.workflows.evidence import end_job


def cancel_job(*, job: Job, actor: Actor) -> Job:
    """Cancel a waiting job at once, or ask its worker to stop a running one. Safe to repeat.

    Raises TransitionRefused when the job has ended, or only its evidence remains to be sealed.
    """
    with transaction.atomic():
        locked = Job.objects.select_for_update(of=("self",)).get(id=job.id)
        if locked.state in (JobState.QUEUED, JobState.MODERATING):
            ending = Ending.because(ReasonCode.CANCELLED_ON_REQUEST)
            end_job(job=locked, to=JobState.CANCELLED, actor=actor, ending=ending)
        elif locked.state in WORKED_ON:
            ask_to_stop(job=locked, actor=actor)
        elif locked.state != JobState.CANCELLED:
            raise TransitionRefused(
                f"The job is {locked.get_state_display().lower()} and can no longer be cancelled.",
                details={"state": locked.state},
            )
    return locked
