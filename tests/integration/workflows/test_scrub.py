"""Scrubs in the background: turns, pauses, and what is left lying."""

from datetime import timedelta
from typing import Any

import pytest

from governance.audit.choices import ScrubState, WormKind
from governance.audit.errors import ScrubConflict, WormUnavailable
from governance.audit.keeping.worm import store_object
from governance.audit.models import ScrubRun
from governance.audit.ports import worm_store
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.workflows import scrub
from governance.workflows.scrub import (
    finish_scrub,
    resume_scrubs,
    start_scheduled_scrub,
    start_scrub,
    work_on_scrub,
)
from inference_workers.tasks import control

pytestmark = pytest.mark.django_db

ADA = Actor("user", "1")
WORKER = Actor("worker", "w")
SIZE = 1000


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Every message: the run, and the pause before it."""
    messages: list[tuple[str, float]] = []

    def note(*, task: str, queue: str, args: list[str], delay: float) -> bool:
        assert (task, queue) == ("assent.control.scrub", "control")
        messages.append((":".join(args), delay))
        return True

    monkeypatch.setattr(scrub, "send", note)
    return messages


@pytest.fixture
def objects() -> None:
    for number in range(3):
        store_object(
            kind=WormKind.POLICY,
            subject=SubjectRef("revision", str(number)),
            key=f"policy/{number}",
            data=bytes([number]) * SIZE,
        )


def test_a_scrub_is_sent_once_its_transaction_commits(
    sent: list[tuple[str, float]], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run = start_scrub(actor=ADA)
        assert sent == []

    assert sent == [(f"{run.pk}:0", 0.0)]
    with pytest.raises(ScrubConflict):
        start_scrub(actor=ADA)


def test_the_scrub_of_the_night_gives_way_to_one_under_way(caplog: pytest.LogCaptureFixture) -> None:
    first = start_scheduled_scrub()

    assert first is not None
    assert first.asked_by == "system:schedule"
    assert start_scheduled_scrub() is None
    assert "still under way" in caplog.text


def test_a_turn_reads_no_more_than_it_may_and_the_next_one_waits(
    objects: None, sent: list[tuple[str, float]], settings: Any
) -> None:
    settings.ASSENT_SCRUB_BYTES_PER_SECOND = 100
    run = start_scrub(actor=ADA)

    assert work_on_scrub(run_id=run.pk, done=0, actor=WORKER) is False

    run.refresh_from_db()
    assert (run.done, run.bytes_read) == (1, SIZE)
    assert len(sent) == 1
    assert sent[0][0] == f"{run.pk}:1"
    assert 9 < sent[0][1] <= SIZE / 100


def test_without_much_to_read_all_is_done_in_a_turn(objects: None, sent: list[tuple[str, float]]) -> None:
    run = start_scrub(actor=ADA)

    assert [work_on_scrub(run_id=run.pk, done=done, actor=WORKER) for done in (0, 3)] == [False, True]

    run.refresh_from_db()
    assert run.state == ScrubState.FINISHED
    assert sent[0][1] < 0.1


def test_a_pause_has_an_end_however_large_an_object_was(
    objects: None, sent: list[tuple[str, float]], settings: Any
) -> None:
    settings.ASSENT_SCRUB_BYTES_PER_SECOND = 1
    run = start_scrub(actor=ADA)
    work_on_scrub(run_id=run.pk, done=0, actor=WORKER)

    assert sent[0][1] == scrub.PAUSE_SECONDS < scrub.STALLED_SECONDS


def test_a_store_that_is_down_is_waited_for(
    objects: None, sent: list[tuple[str, float]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(**given: str) -> None:
        raise WormUnavailable("down")

    run = start_scrub(actor=ADA)
    with monkeypatch.context() as patch:
        patch.setattr(worm_store.get(), "verify", down)
        patch.setattr(worm_store.get(), "find", down)
        assert work_on_scrub(run_id=run.pk, done=0, actor=WORKER) is False
    assert sent == []
    assert "does not answer: down" in caplog.text

    ScrubRun.objects.update(heard_at=clock.now() - timedelta(seconds=scrub.STALLED_SECONDS + 1))
    assert resume_scrubs() == 1
    assert sent == [(f"{run.pk}:0", 0.0)]
    work_on_scrub(run_id=run.pk, done=0, actor=WORKER)
    run.refresh_from_db()
    assert run.done == 3


def test_what_is_under_way_is_not_sent_twice(objects: None, sent: list[tuple[str, float]]) -> None:
    start_scrub(actor=ADA)

    assert resume_scrubs() == 0


def test_a_whole_scrub_at_once_keeps_the_pace(
    objects: None, sent: list[tuple[str, float]], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ASSENT_SCRUB_BYTES_PER_SECOND = 500
    pauses: list[float] = []
    monkeypatch.setattr("governance.workflows.scrub.time.sleep", pauses.append)

    run = finish_scrub(run_id=start_scrub(actor=ADA).pk, actor=WORKER)

    assert (run.state, run.done) == (ScrubState.FINISHED, 3)
    assert len(pauses) == 3
    assert all(1.5 < pause <= 2.0 for pause in pauses)


def test_the_tasks_do_what_the_schedule_asks_for(objects: None, sent: list[tuple[str, float]], settings: Any) -> None:
    control.start_scrub()
    run = ScrubRun.objects.get()

    control.scrub(str(run.pk), "0")
    control.scrub(str(run.pk), "3")
    control.resume_scrubs()

    run.refresh_from_db()
    assert (run.state, run.done, run.asked_by) == (ScrubState.FINISHED, 3, "system:schedule")
    tasks = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert tasks >= {"assent.control.start_scrub", "assent.control.resume_scrubs"}
