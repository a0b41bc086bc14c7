"""Replays of drafts, done in the background in short turns, so that they do not block the queue."""

import time
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from governance.audit.types import Actor
from governance.decisions.models import ReplayReport
from governance.decisions.replay import request_replay, stalled_replays, work_batch
from governance.jobs.dispatch import send
from governance.jobs.tasks import Task
from governance.kernel import clock
from governance.rulebook.models import PolicyDraft

TURN_SECONDS = 5.0
STALLED_SECONDS = 20


@transaction.atomic
def start_replay(
    *, draft: PolicyDraft, since: datetime, until: datetime, sample_percent: int, actor: Actor
) -> ReplayReport:
    """Ask for a replay and send it to the workers once the transaction commits. Raises ReplayConflict.

    The message is only a hint: a replay that no worker takes is sent again by `resume_replays`.
    """
    report = request_replay(draft=draft, since=since, until=until, sample_percent=sample_percent, actor=actor)
    transaction.on_commit(lambda: _send(report.pk), robust=True)
    return report


def work_on_replay(*, report_id: UUID, actor: Actor, seconds: float = TURN_SECONDS) -> bool:
    """Replay batches for a while; return whether the replay has ended. The rest is sent to the queue again."""
    ends = time.monotonic() + seconds
    while work_batch(report_id=report_id, actor=actor):
        if time.monotonic() >= ends:
            _send(report_id)
            return False
    return True


def resume_replays() -> int:
    """Send stalled replays again; return how many."""
    stalled = stalled_replays(before=clock.now() - timedelta(seconds=STALLED_SECONDS))
    return sum(_send(report_id) for report_id in stalled)


def _send(report_id: UUID) -> bool:
    return send(task=Task.REPLAY_DRAFT, queue=Task.REPLAY_DRAFT.queue, args=[str(report_id)])
