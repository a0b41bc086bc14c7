"""Sending jobs to the workers. A message carries only the job's id; losing it delays a job, but never loses one."""

import logging
from collections.abc import Iterable, Sequence
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import ChannelError, OperationalError
from redis.exceptions import RedisError

from governance.jobs.choices import JobState
from governance.jobs.leases import mark_dispatched
from governance.jobs.models import Job
from governance.jobs.tasks import Task

logger = logging.getLogger(__name__)

ONE_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}

#: For each waiting state: the task that continues the job.
TASKS = {
    JobState.QUEUED: Task.RUN_JOB,
    JobState.MODERATING: Task.RELEASE_JOB,
    JobState.SEALING: Task.SEAL_JOB,
}


def dispatch_on_commit(job: Job) -> None:
    """Send the job to the workers for its current state once the transaction commits."""
    job_id, state = job.id, JobState(job.state)
    transaction.on_commit(lambda: dispatch(job_id=job_id, state=state), robust=True)


def dispatch(*, job_id: UUID, state: JobState) -> bool:
    """Send the job now, and return whether the broker accepted it. If not, the sweeper sends the job again."""
    task = TASKS[state]
    if not send(task=task, queue=task.queue, args=[str(job_id)]):
        return False
    mark_dispatched(job_id)
    return True


def dispatch_each(waiting: Iterable[tuple[UUID, JobState]]) -> int:
    """Send jobs until the broker accepts no more, and return how many it accepted; the sweeper sends the rest."""
    taken = 0
    for job_id, state in waiting:
        if not dispatch(job_id=job_id, state=state):
            break
        taken += 1
    return taken


def queue_length(queue: str) -> int:
    """Return how many untaken messages wait on a queue; 0 when the broker cannot be reached."""
    try:
        with current_app.connection_or_acquire() as connection:
            return int(connection.default_channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:  # an empty queue does not exist in the broker
        return 0
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("the broker did not say how long the queue '%s' is: %s", queue, error)
        return 0


def send(*, task: str, queue: str, args: Sequence[str] = (), delay: float = 0.0) -> bool:
    """Put a task's message on a queue, and return whether the broker took it; an unavailable broker is only logged.

    The worker starts it after `delay` seconds. One retry replaces a pooled connection that did not survive a restart
    of the broker.
    """
    try:
        current_app.send_task(
            task, args=list(args), queue=queue, countdown=delay or None, retry=True, retry_policy=ONE_RETRY
        )
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("the broker did not take %s for the queue '%s': %s", task, queue, error)
        return False
    return True
