"""The sequencer among many writers and others of its kind, and killed anywhere. Real processes, real SIGKILL."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from governance.audit.log import log_guard
from governance.audit.log.checkpoints import advance_log, log_status
from governance.audit.log.log_reader import log_size, root_at
from governance.audit.log.sequencer import sequence_all, sequence_pending
from governance.audit.models import Checkpoint, LedgerEntry, LogTile, OutboxEntry, TreeHead
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.transparency.merkle import Frontier, leaf_hash
from tests.factories.audit import filled_log, record_entries
from tests.history import guards_lifted
from tests.processes import kill, killed_at, started
from tests.threads import in_threads
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_patrol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_guard, "patrol", log_guard.Patrol())


def assert_sound(entries: int) -> None:
    """All entries are there once, in order without a gap, and the tree is that of their bytes."""
    rows = list(LedgerEntry.objects.order_by("index").values_list("index", "entry_id", "body", "leaf_hash"))
    assert [index for index, _, _, _ in rows] == list(range(entries))
    assert len({entry_id for _, entry_id, _, _ in rows}) == entries
    leaves = [leaf_hash(bytes(body)) for _, _, body, _ in rows]
    assert [bytes(stored) for _, _, _, stored in rows] == leaves
    root = Frontier().extended(leaves).root()
    assert bytes(TreeHead.objects.get(size=entries).root_hash) == root == root_at(entries)
    assert LogTile.objects.filter(level=0).count() == entries // 256
    assert not OutboxEntry.objects.exists()


@pytest.mark.parametrize(
    "step",
    [
        "governance.audit.log.sequencer._append",
        "governance.audit.log.sequencer.TreeHead.objects.create",
        "governance.audit.log.sequencer._store_full_tiles",
    ],
)
def test_killed_between_two_steps_nothing_of_the_batch_has_happened(step: str) -> None:
    filled_log(250)
    record_entries(10)

    with killed_at(step, sequence_all):
        assert (log_size(), OutboxEntry.objects.count()) == (250, 10)
        assert sequence_pending() == 0

    assert eventually(sequence_pending, 10) == 10
    assert_sound(260)


def test_a_log_from_before_there_were_tiles_is_none_that_was_altered() -> None:
    filled_log(600)
    with guards_lifted():
        LogTile.objects.all()._raw_delete(using="default")
    record_entries(1)

    with ThreadPoolExecutor() as threads, killed_at("governance.audit.log.sequencer._store_full_tiles", sequence_all):
        second = threads.submit(in_threads, advance_log)
        assert eventually(waiting_for_a_lock, 1) == 1
    assert [status.alarm for status in second.result()] == [None]

    placed = advance_log().size
    assert advance_log().checkpoint_size == placed == log_size()
    assert_sound(placed)


def waiting_for_a_lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database"
            " WHERE NOT granted AND locktype = 'advisory' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def test_killed_after_the_batch_it_counts() -> None:
    record_entries(3)

    with killed_at("governance.audit.log.checkpoints._publish", advance_log):
        placed = log_size()
        assert placed > 3

    assert eventually(lambda: advance_log().checkpoint_size, placed) == placed
    assert_sound(placed)


class KilledAfterPut(FilesystemWormStore):
    """Stores, and says so to a name that a test can hold it at."""

    def put(self, **given: Any) -> Any:
        stored = super().put(**given)
        held()
        return stored


def held() -> None:
    """Nothing; a test holds the process here."""


def test_killed_between_worm_storage_and_database_the_checkpoint_is_taken_over(store: FilesystemWormStore) -> None:
    record_entries(3)

    def advance() -> None:
        with worm_store.override(KilledAfterPut(store._root)):
            advance_log()

    with killed_at(f"{__name__}.held", advance):
        placed = log_size()
        assert not Checkpoint.objects.exists()
    record_entries(2)

    assert eventually(lambda: advance_log().lag_entries, 0) == 0
    assert [each.size for each in Checkpoint.objects.order_by("number")] == [placed, placed + 2]
    assert log_status().alarm is None


def test_many_writers_while_sequencers_are_killed_leave_no_gap() -> None:
    def write() -> None:
        record_entries(60)

    def order() -> None:
        while True:
            sequence_pending(limit=7)

    writers = [started(write) for _ in range(4)]
    for _ in range(6):
        sequencers = [started(order) for _ in range(2)]
        time.sleep(random.uniform(0.05, 0.2))
        for sequencer in sequencers:
            kill(sequencer)
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    eventually(left_after_sequencing, 0)
    assert_sound(240)


def left_after_sequencing() -> int:
    sequence_all()
    return OutboxEntry.objects.count()


def test_two_that_advance_the_log_at_once_publish_one_history() -> None:
    def work() -> int:
        for _ in range(6):
            record_entries(2)
            advance_log()
        return 0

    assert in_threads(work, work, work) == [0, 0, 0]
    advance_log()

    numbers = list(Checkpoint.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    sizes = list(Checkpoint.objects.order_by("number").values_list("size", flat=True))
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == log_size()
    assert log_status().alarm is None


def test_without_its_locks_the_slots_keep_one_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.audit.log.checkpoints.try_lock", lambda lock: True)

    def work() -> list[str]:
        return [outcome(advance_log) for _ in range(5) if record_entries(1)]

    outcomes = in_threads(work, work)
    assert set(outcomes[0] + outcomes[1]) <= {"advanced", "IntegrityError"}
    monkeypatch.undo()
    advance_log()

    sizes = list(Checkpoint.objects.order_by("number").values_list("size", flat=True))
    assert sizes == sorted(sizes)
    assert log_status().lag_entries == 0
    assert log_status().alarm is None


def outcome(call: Callable[[], Any]) -> str:
    """Return "advanced", or the name of the error."""
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return "advanced"


def test_a_log_from_before_there_were_tiles_gets_all_of_them() -> None:
    filled_log(66_000)
    with guards_lifted(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_logtile")
    record_entries(1)

    assert sequence_pending() == 1

    assert LogTile.objects.filter(level=0).count() == 257
    assert LogTile.objects.filter(level=1).count() == 1
    head = TreeHead.objects.latest("size")
    assert root_at(head.size) == bytes(head.root_hash)


@pytest.fixture
def late_writer() -> Iterator[None]:
    """Someone who has written an entry and does not commit."""
    with transaction.atomic():
        record_entries(1)
        yield


def test_who_does_not_commit_holds_nobody_up(late_writer: None) -> None:
    in_threads(lambda: record_entries(5))

    assert in_threads(sequence_pending) == [5]
