from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from governance.audit.choices import ScrubState, WormKind
from governance.audit.errors import ScrubConflict, WormUnavailable
from governance.audit.evidence.anchoring import anchor_evidence
from governance.audit.keeping import scrub
from governance.audit.keeping.holds import ask_release, release_hold, set_hold
from governance.audit.keeping.scrub import cancel_scrub, stalled_scrubs, start_scrub, work_batch
from governance.audit.keeping.worm import store_object
from governance.audit.models import OutboxEntry, RetentionClass, ScrubRun, WormReference
from governance.audit.recording.entries import entry_data
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from tests.factories.audit import issued_evidence
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db

ADA, BOB = Actor("user", "1"), Actor("user", "2")
WORKER = Actor("worker", "w")
MUCH = 10**9


@pytest.fixture
def references() -> list[WormReference]:
    return [anchor_evidence(evidence_id=issued_evidence().id) for _ in range(3)]


def work(run: ScrubRun, **given: Any) -> int | None:
    """Work on the scrub from where it is; return how many bytes were read."""
    run.refresh_from_db()
    arguments: dict[str, Any] = {"done": run.done, "seconds": 60.0, "most_bytes": MUCH}
    progress = work_batch(run_id=run.pk, actor=WORKER, **(arguments | given))
    return progress.bytes_read if progress else None


def scrubbed() -> ScrubRun:
    run = start_scrub(actor=ADA)
    while work(run) is not None:
        pass
    run.refresh_from_db()
    return run


def checks(run: ScrubRun) -> list[str]:
    return [each["check"] for each in run.faults]


def path_of(root: Path, reference: WormReference) -> Path:
    return root / "objects" / reference.uri.removeprefix("worm+file:")


def entry(kind: str) -> dict[str, Any]:
    row = OutboxEntry.objects.filter(kind=kind).latest("id")
    return dict(entry_data(bytes(row.body)))


def test_every_object_is_read_once(references: list[WormReference]) -> None:
    run = scrubbed()

    assert (run.state, run.total, run.done, run.faults) == (ScrubState.FINISHED, 3, 3, [])
    assert run.bytes_read == sum(each.size for each in references)
    assert run.finished_at is not None
    assert entry("scrub.started") == {"objects": 3}
    assert entry("scrub.finished") == {"objects": 3, "bytes": run.bytes_read, "faults": 0}


def test_an_empty_store_is_scrubbed_too() -> None:
    assert (scrubbed().state, scrubbed().done) == (ScrubState.FINISHED, 0)


def test_what_is_stored_later_is_for_the_next_one(references: list[WormReference]) -> None:
    run = start_scrub(actor=ADA)
    anchor_evidence(evidence_id=issued_evidence().id)
    work(run)
    work(run)
    run.refresh_from_db()

    assert (run.total, run.done, run.state) == (3, 3, ScrubState.FINISHED)


def test_altered_missing_and_mistaken_objects_are_named_and_an_alarm_is_raised(
    references: list[WormReference], worm_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    altered, missing, mistaken = references
    path_of(worm_root, altered).chmod(0o644)
    path_of(worm_root, altered).write_bytes(b"{}")
    path_of(worm_root, missing).unlink()
    with guards_lifted():
        WormReference.objects.filter(pk=mistaken.pk).update(sha256="0" * 64)

    run = scrubbed()

    assert checks(run) == ["worm_object_altered", "worm_object_missing", "worm_record"]
    assert run.faults[0]["subject"] == f"WORM object {altered.uri}"
    assert run.faults[0]["remedy"]
    assert (run.state, run.done) == (ScrubState.FINISHED, 3)
    errors = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert len(errors) == 4
    assert "ended with 3 faults" in errors[-1]
    assert entry("scrub.finished")["faults"] == 3


def test_only_so_many_faults_are_kept(
    references: list[WormReference], worm_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.audit.keeping.scrub.FAULTS_KEPT", 2)
    for reference in references:
        path_of(worm_root, reference).unlink()

    run = scrubbed()

    assert (len(run.faults), run.done) == (2, 3)


# turns


def test_a_turn_ends_after_so_many_bytes_or_seconds(references: list[WormReference]) -> None:
    run = start_scrub(actor=ADA)

    assert work(run, most_bytes=1) == references[0].size
    assert work(run, seconds=0.0) == references[1].size
    assert work(run) == references[2].size
    assert work(run) is None


def test_another_worker_continues_where_the_first_one_died(
    references: list[WormReference], store: FilesystemWormStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start_scrub(actor=ADA)
    work(run, most_bytes=1)
    seen: list[str] = []
    real = store.verify

    def dies_at_the_second(**given: str) -> Any:
        seen.append(given["uri"])
        return {1: real, 2: killed}[len(seen)](**given)

    def killed(**given: str) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(store, "verify", dies_at_the_second)
        with pytest.raises(SystemExit), transaction.atomic():
            work(run)
    run.refresh_from_db()
    assert run.done == 1

    work(run)
    work(run)
    run.refresh_from_db()
    assert (run.state, run.done, run.bytes_read) == (ScrubState.FINISHED, 3, sum(each.size for each in references))


def test_a_message_delivered_twice_does_nothing(references: list[WormReference]) -> None:
    run = start_scrub(actor=ADA)
    assert work(run, most_bytes=1, done=0) == references[0].size

    assert work(run, done=0) is None

    run.refresh_from_db()
    assert run.done == 1


def test_only_one_scrub_at_a_time(references: list[WormReference]) -> None:
    run = start_scrub(actor=ADA)

    with pytest.raises(ScrubConflict, match="under way"):
        start_scrub(actor=BOB)
    cancel_scrub(run=run, actor=BOB)
    assert start_scrub(actor=BOB).pk != run.pk


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_read_the_same_object_twice() -> None:
    for _ in range(3):
        anchor_evidence(evidence_id=issued_evidence().id)
    run = start_scrub(actor=ADA)

    def work_alone(_: int) -> int | None:
        try:
            return work(run)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work_alone, range(4)))
    work(run)
    run.refresh_from_db()

    assert (run.done, run.state) == (3, ScrubState.FINISHED)


def test_a_scrub_is_cancelled(references: list[WormReference]) -> None:
    run = start_scrub(actor=ADA)
    work(run, most_bytes=1)

    cancelled = cancel_scrub(run=run, actor=BOB)

    assert (cancelled.state, cancelled.done, cancelled.cancel_asked) == (ScrubState.CANCELLED, 1, True)
    assert work(run) is None
    assert entry("scrub.cancelled") == {"objects": 1, "bytes": references[0].size, "faults": 0}
    with pytest.raises(ScrubConflict, match="has ended"):
        cancel_scrub(run=run, actor=BOB)


def test_a_scrub_without_progress_is_found(references: list[WormReference]) -> None:
    run = start_scrub(actor=ADA)

    assert stalled_scrubs(before=clock.now() + timedelta(seconds=1)) == [(run.pk, 0)]
    assert stalled_scrubs(before=clock.now() - timedelta(seconds=60)) == []


# a store that does not answer, or not for one object


def down(**given: str) -> None:
    raise WormUnavailable("Input/output error")


def test_an_object_that_cannot_be_read_is_a_fault(
    references: list[WormReference], store: FilesystemWormStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "verify", down)

    assert checks(scrubbed()) == ["worm_unreadable"] * 3


def test_an_object_of_another_store_is_a_fault(references: list[WormReference]) -> None:
    with guards_lifted():
        WormReference.objects.filter(pk=references[0].pk).update(uri="s3://elsewhere/a")

    assert checks(scrubbed()) == ["worm_unreadable"]


def test_a_store_that_does_not_answer_is_none(
    references: list[WormReference], store: FilesystemWormStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start_scrub(actor=ADA)
    with monkeypatch.context() as patch:
        patch.setattr(store, "verify", down)
        patch.setattr(store, "find", down)
        with pytest.raises(WormUnavailable):
            work(run)
    run.refresh_from_db()

    assert (run.done, run.faults, run.state) == (0, [], ScrubState.RUNNING)


# what it completes


def test_a_longer_class_reaches_what_is_stored(references: list[WormReference], store: FilesystemWormStore) -> None:
    first = references[0]
    RetentionClass.objects.filter(slug="evidence").update(days=4000)

    assert scrubbed().faults == []

    now = WormReference.objects.get(pk=first.pk)
    assert now.retain_until == first.stored_at + timedelta(days=4000)
    assert store.head(uri=first.uri, version_id=first.version_id).retain_until == now.retain_until
    assert OutboxEntry.objects.filter(kind="worm.extended").count() == 3
    RetentionClass.objects.filter(slug="evidence").update(days=1)
    scrubbed()
    assert WormReference.objects.get(pk=first.pk).retain_until == now.retain_until


def test_what_is_kept_for_ever_rolls_on_without_a_word(store: FilesystemWormStore) -> None:
    subject = SubjectRef("log", "1")
    checkpoint = store_object(kind=WormKind.CHECKPOINT, subject=subject, key="checkpoints/1", data=b"1")
    assert scrubbed().faults == []
    assert WormReference.objects.get().retain_until == checkpoint.retain_until

    with clock.using(ManualClock(clock.now() + timedelta(days=400))):
        assert scrubbed().faults == []

    known = store.head(uri=checkpoint.uri, version_id=checkpoint.version_id)
    assert known.retain_until == WormReference.objects.get().retain_until
    assert known.retain_until > checkpoint.retain_until + timedelta(days=399)
    assert not OutboxEntry.objects.filter(kind="worm.extended").exists()


def test_an_extension_that_the_store_refuses_is_a_fault(
    references: list[WormReference], store: FilesystemWormStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    RetentionClass.objects.filter(slug="evidence").update(days=4000)
    monkeypatch.setattr(store, "extend", down)

    assert checks(scrubbed()) == ["worm_unreadable"] * 3


def test_a_hold_that_the_store_lost_is_set_again(references: list[WormReference], store: FilesystemWormStore) -> None:
    held = references[1]
    set_hold(reference=held, actor=ADA, reason="Case")
    store.release_hold(uri=held.uri, version_id=held.version_id)

    assert checks(scrubbed()) == ["hold_missing"]
    assert store.head(uri=held.uri, version_id=held.version_id).held
    assert checks(scrubbed()) == []


def test_a_hold_that_nobody_set_here_is_named(references: list[WormReference], store: FilesystemWormStore) -> None:
    store.hold(uri=references[0].uri, version_id=references[0].version_id)

    assert checks(scrubbed()) == ["hold_unknown"]


def test_a_release_that_was_cut_short_is_completed(
    references: list[WormReference],
    store: FilesystemWormStore,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    hold = set_hold(reference=references[0], actor=ADA, reason="Case")
    with django_capture_on_commit_callbacks(execute=False):
        ask_release(hold=hold, actor=ADA, reason="Closed")
        release_hold(hold=hold, actor=BOB)
    assert store.head(uri=references[0].uri, version_id=references[0].version_id).held

    assert checks(scrubbed()) == []
    assert not store.head(uri=references[0].uri, version_id=references[0].version_id).held


@pytest.mark.parametrize("before", [0, 1])
def test_a_hold_set_while_its_batch_is_under_way_stays(
    before: int, references: list[WormReference], store: FilesystemWormStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = references[0]
    for _ in range(before):  # an object that was held and released once
        hold = ask_release(hold=set_hold(reference=held, actor=ADA, reason="Case"), actor=ADA, reason="Closed")
        release_hold(hold=hold, actor=BOB)
        store.release_hold(uri=held.uri, version_id=held.version_id)
    stale = scrub._holds_of([held])
    set_hold(reference=held, actor=ADA, reason="Another case")
    monkeypatch.setattr(scrub, "_holds_of", lambda rows: stale)

    assert scrubbed().faults == []
    assert store.head(uri=held.uri, version_id=held.version_id).held
