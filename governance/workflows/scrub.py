"""Scrubs of WORM storage, done in the background in short turns, no faster than the setting allows.

The pace is kept by pauses between turns, not within them: a slow turn would block its queue.
"""

import logging
import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from governance.audit.errors import ScrubConflict
from governance.audit.keeping import scrub
from governance.audit.models import ScrubRun
from governance.audit.types import Actor
from governance.jobs.dispatch import send
from governance.jobs.tasks import Task
from governance.kernel import clock
from governance.kernel.errors import Unavailable

logger = logging.getLogger(__name__)

TURN_SECONDS = 2.0
#: The longest pause between two turns, however large an object was; and when a scrub counts as stalled.
PAUSE_SECONDS = 120.0
STALLED_SECONDS = 180
SCHEDULE = Actor("system", "schedule")


@transaction.atomic
def start_scrub(*, actor: Actor) -> ScrubRun:
    """Start a scrub and send it to the workers once the transaction commits. Raises ScrubConflict.

    The message is only a hint: a scrub that no worker takes is sent again by `resume_scrubs`.
    """
    run = scrub.start_scrub(actor=actor)
    transaction.on_commit(lambda: _send(run.pk, done=0), robust=True)
    return run


def start_scheduled_scrub() -> ScrubRun | None:
    """Start the nightly scrub; return None when the previous one still runs."""
    try:
        return start_scrub(actor=SCHEDULE)
    except ScrubConflict:
        logger.warning("The previous scrub is still under way; no new one is started.")
        return None


def work_on_scrub(*, run_id: UUID, done: int, actor: Actor) -> bool:
    """Read objects for one turn; return whether this worker is done with the scrub. The rest is sent again.

    `done` is how many objects had been read when the message was sent; an outdated message does nothing. The next turn
    starts once the average since this one began is at most ASSENT_SCRUB_BYTES_PER_SECOND.
    """
    began, rate = time.monotonic(), settings.ASSENT_SCRUB_BYTES_PER_SECOND
    try:
        read = scrub.work_batch(
            run_id=run_id, done=done, actor=actor, seconds=TURN_SECONDS, most_bytes=int(rate * TURN_SECONDS)
        )
    except Unavailable as error:
        logger.error("A scrub waits because WORM storage does not answer: %s", error.message)
        return False
    if read is None:
        return True
    pause = max(0.0, read.bytes_read / rate - (time.monotonic() - began))
    _send(run_id, done=read.done, delay=min(PAUSE_SECONDS, pause))
    return False


def finish_scrub(*, run_id: UUID, actor: Actor) -> ScrubRun:
    """Do a whole scrub in the foreground, at the same pace; for a command. Raises Unavailable."""
    rate, done = settings.ASSENT_SCRUB_BYTES_PER_SECOND, 0
    while True:
        began = time.monotonic()
        read = scrub.work_batch(run_id=run_id, done=done, actor=actor, seconds=TURN_SECONDS, most_bytes=rate)
        if read is None:
            return ScrubRun.objects.get(pk=run_id)
        done = read.done
        time.sleep(max(0.0, read.bytes_read / rate - (time.monotonic() - began)))


def resume_scrubs() -> int:
    """Send stalled scrubs again; return how many."""
    stalled = scrub.stalled_scrubs(before=clock.now() - timedelta(seconds=STALLED_SECONDS))
    return sum(_send(run_id, done=done) for run_id, done in stalled)


def _send(run_id: UUID, *, done: int, delay: float = 0.0) -> bool:
    return send(task=Task.SCRUB, queue=Task.SCRUB.queue, args=[str(run_id), str(done)], delay=delay)
