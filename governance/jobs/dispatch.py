"""Sending jobs to the workers. A message carries only the job's id; losing it costs time, never a job."""

import logging
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from governance.jobs.choices import JobState
from governance.jobs.leases import mark_dispatched
from governance.jobs.models import Job

logger = logging.getLogger(__name__)

#: For each state in which a job waits: the task that takes it up, and the queue that the task listens on.
ROUTES = {
    JobState.QUEUED: ("assent.inference.run_job", "inference"),
    JobState.MODERATING: ("assent.moderation.release_job", "moderation"),
    JobState.SEALING: ("assent.control.seal_job", "control"),
}


def dispatch_on_commit(job: Job) -> None:
    """Send the job to the workers for its present state once the transaction commits."""
    job_id, state = job.id, JobState(job.state)
    transaction.on_commit(lambda: dispatch(job_id=job_id, state=state), robust=True)


def dispatch(*, job_id: UUID, state: JobState) -> bool:
    """Send the job now. A broker that does not answer is logged: the sweeper sends the job again. Returns success."""
    task, queue = ROUTES[state]
    try:
        current_app.send_task(task, args=[str(job_id)], queue=queue, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("job %s not sent to the queue '%s', the sweeper will: %s", job_id, queue, error)
        return False
    mark_dispatched(job_id)
    return True
