"""Whatever befell the database or WORM storage, the log stops with its alarm and goes on only once it is mended."""

import json
from pathlib import Path

import pytest
from django.db import connection

from governance.audit.errors import LogDiverged, LogHalted
from governance.audit.log import log_guard
from governance.audit.log.checkpoint_slots import slot_key
from governance.audit.log.checkpoints import (
    advance_log,
)
from governance.audit.log.log_alarms import codes_of, ensure_running, halted, raise_alarm, resolve_alarms
from governance.audit.log.log_guard import Patrol
from governance.audit.log.log_reader import log_size, root_at
from governance.audit.log.sequencer import sequence_all
from governance.audit.models import Checkpoint, LedgerEntry, LogAlarm, LogTile, TreeHead
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.kernel import clock
from governance.keys.ring import KeyRing, key_ring
from governance.transparency.notes import CheckpointBody
from tests.factories.audit import filled_log, record_entries
from tests.factories.keys import development_ring
from tests.history import guards_lifted
from tests.log_damage import OPERATOR, ORIGIN, assert_alarm, forget_entries, forget_rows, rebuild_tree, signed, slot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_log")]


def test_a_database_set_back_behind_worm_stops_the_log(caplog: pytest.LogCaptureFixture) -> None:
    record_entries(2)
    advance_log()
    kept = log_size()
    record_entries(5)
    advance_log()
    forget_rows(from_number=2)
    forget_entries(from_index=kept)

    assert_alarm("log_behind_worm", "set back to an earlier state")
    assert "CRITICAL" in {record.levelname for record in caplog.records}


def test_a_database_set_back_that_went_on_does_not_fork_the_log() -> None:
    record_entries(2)
    advance_log()
    kept = log_size()
    record_entries(2)
    advance_log()
    forget_rows(from_number=2)
    forget_entries(from_index=kept)
    record_entries(6)

    assert_alarm("log_forked", "not those that checkpoint 2")


def test_a_history_rewritten_with_all_its_hashes_stops_the_log() -> None:
    filled_log(600)
    advance_log()
    with guards_lifted():
        LedgerEntry.objects.filter(index=3).update(body=b'{"forged":true}')
    rebuild_tree()

    assert_alarm("log_forked", "entries were changed")


@pytest.mark.parametrize(("index", "match"), [(3, "do not match their tile"), (598, "bytes of entry #598")])
def test_an_entry_whose_bytes_were_changed_stops_the_log(index: int, match: str) -> None:
    filled_log(600)
    advance_log()
    with guards_lifted():
        LedgerEntry.objects.filter(index=index).update(body=b'{"forged":true}')

    assert_alarm("log_altered", match)


def test_a_new_entry_whose_bytes_were_changed_is_never_published() -> None:
    advance_log()
    record_entries(2)
    sequence_all()
    with guards_lifted():
        LedgerEntry.objects.filter(index=log_size() - 1).update(body=b'{"forged":true}')

    assert_alarm("log_altered", "bytes of entry")


def test_a_removed_tile_stops_the_log() -> None:
    filled_log(600)
    advance_log()
    with guards_lifted():
        LogTile.objects.filter(number=0)._raw_delete(using="default")

    assert_alarm("log_altered", "do not lead to the root")


def test_a_changed_tile_root_stops_the_log() -> None:
    filled_log(300)
    advance_log()
    with guards_lifted():
        LogTile.objects.filter(number=0).update(root=bytes(32))

    assert_alarm("log_altered", "do not lead to the root")


def test_an_old_tile_root_that_no_proof_needs_now_is_looked_at_too() -> None:
    filled_log(65_536)
    advance_log()
    with guards_lifted():
        LogTile.objects.filter(level=0, number=12).update(root=bytes(32))

    assert_alarm("log_altered", "does not have the root hash")


@pytest.mark.parametrize("change", [{"frontier": bytes(32)}, {"frontier": b"x"}, {"root_hash": bytes(32)}])
def test_a_changed_tree_head_stops_the_log(change: dict[str, bytes]) -> None:
    advance_log()
    record_entries(1)
    with guards_lifted():
        TreeHead.objects.update(**change)

    assert_alarm("log_altered", "tree head")


def test_an_entry_put_in_without_the_sequencer_stops_the_log() -> None:
    advance_log()
    with guards_lifted(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO audit_ledgerentry
            SELECT index + 1, gen_random_uuid(), kind, subject_type, subject_id, actor_type, actor_id, occurred_at,
                sequenced_at, body, leaf_hash
            FROM audit_ledgerentry ORDER BY index DESC LIMIT 1
            """
        )
    record_entries(1)

    assert_alarm("log_altered", "cannot be put into the log")


def test_a_changed_announcement_of_a_key_stops_the_log() -> None:
    advance_log()
    with guards_lifted():
        LedgerEntry.objects.filter(kind="key.announced", index=0).update(body=b"{}")

    assert_alarm("log_altered", "about key")


def test_another_checkpoint_in_the_database_stops_the_log() -> None:
    advance_log()
    with guards_lifted():
        Checkpoint.objects.update(size=1)

    assert_alarm("checkpoint_altered", "not the one in WORM storage")


def test_a_changed_object_stops_the_log(worm_root: Path) -> None:
    advance_log()
    path = slot(worm_root, 1)
    path.chmod(0o644)
    path.write_text(path.read_text().replace(ORIGIN, "another.log"))

    assert_alarm("checkpoint_altered", "not checkpoint 1")


def test_another_store_stops_the_log(tmp_path: Path) -> None:
    advance_log()
    with worm_store.override(FilesystemWormStore(tmp_path / "other")):
        assert_alarm("checkpoint_missing", "a different store")


@pytest.mark.parametrize(
    "note",
    ["no note", "assent.local/log\n1\nAAAA\n\n— someone AAAAAAAA\n"],
)
def test_a_slot_that_holds_something_else_stops_the_log(note: str, store: FilesystemWormStore) -> None:
    until = clock.now().replace(year=2100)
    store.put(key=slot_key(origin=ORIGIN, number=1), data=note.encode(), retain_until=until)

    assert_alarm("checkpoint_altered", "not checkpoint 1")


def test_a_checkpoint_of_another_log_in_our_slot_stops_the_log(store: FilesystemWormStore, ring: KeyRing) -> None:
    note = signed(ring, CheckpointBody("other.example/log", 1, bytes(32)))
    until = clock.now().replace(year=2100)
    store.put(key=slot_key(origin=ORIGIN, number=1), data=note.encode(), retain_until=until)

    assert_alarm("checkpoint_altered", "other.example")


def test_a_checkpoint_with_our_key_over_another_tree_stops_the_log(store: FilesystemWormStore, ring: KeyRing) -> None:
    advance_log()
    note = signed(ring, CheckpointBody(ORIGIN, 1, bytes(32)))
    until = clock.now().replace(year=2100)
    store.put(key=slot_key(origin=ORIGIN, number=2), data=note.encode(), retain_until=until)

    assert_alarm("log_forked", "checkpoint 2")


def test_a_checkpoint_that_goes_back_stops_the_log(store: FilesystemWormStore, ring: KeyRing) -> None:
    advance_log()
    note = signed(ring, CheckpointBody(ORIGIN, 1, root_at(1)))
    until = clock.now().replace(year=2100)
    store.put(key=slot_key(origin=ORIGIN, number=2), data=note.encode(), retain_until=until)

    assert_alarm("checkpoint_altered", "covers less")


def test_a_ring_without_the_keys_of_the_log_stops_it() -> None:
    advance_log()
    with key_ring.override(development_ring()):
        assert_alarm("checkpoint_altered", "not signed by any key")


@pytest.mark.django_db(transaction=True)
def test_an_alarm_outlives_the_round_that_found_it_and_ends_when_resolved() -> None:
    record_entries(2)
    advance_log()
    with guards_lifted():
        Checkpoint.objects.update(size=1)
    with pytest.raises(LogHalted):
        advance_log()
    assert halted() is not None
    with guards_lifted():
        Checkpoint.objects.update(size=log_size())

    ended = resolve_alarms(resolution="the row was put right", actor=OPERATOR)

    assert codes_of(ended) == "checkpoint_altered"
    assert (ended[0].resolved_by, ended[0].resolution) == ("system:command", "the row was put right")
    ensure_running()
    assert advance_log().lag_entries == 0
    entry = LedgerEntry.objects.get(kind="log.resumed")
    assert entry.subject_id == str(ended[0].id)
    assert json.loads(bytes(entry.body))["data"]["code"] == "checkpoint_altered"


def test_what_is_still_wrong_raises_a_new_alarm() -> None:
    advance_log()
    with guards_lifted():
        Checkpoint.objects.update(size=1)
    with pytest.raises(LogHalted):
        advance_log()
    resolve_alarms(resolution="hoping", actor=OPERATOR)

    with pytest.raises(LogHalted):
        advance_log()
    assert LogAlarm.objects.count() == 2


def test_an_old_entry_that_is_still_altered_keeps_its_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    filled_log(600)
    advance_log()
    monkeypatch.setattr(log_guard, "PATROL_TILES", 1)
    body = bytes(LedgerEntry.objects.get(index=300).body)
    with guards_lifted():
        LedgerEntry.objects.filter(index=300).update(body=b"{}")
    monkeypatch.setattr(log_guard, "patrol", Patrol(number=1))
    with pytest.raises(LogHalted):
        advance_log()

    monkeypatch.setattr(log_guard, "patrol", Patrol())  # another process, whose rounds look elsewhere first
    with pytest.raises(LogDiverged, match="#300"):
        resolve_alarms(resolution="hoping", actor=OPERATOR)
    assert halted() is not None

    with guards_lifted():
        LedgerEntry.objects.filter(index=300).update(body=body)
    assert codes_of(resolve_alarms(resolution="the entry was put right", actor=OPERATOR)) == "log_altered"


def test_a_consistency_proof_that_does_not_hold_stops_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    record_entries(5)
    advance_log()
    record_entries(5)
    monkeypatch.setattr(log_guard, "consistency_proof", lambda **given: [bytes(32)])

    assert_alarm("log_forked", "not those that checkpoint 1")


def test_two_that_find_the_same_raise_one_alarm(caplog: pytest.LogCaptureFixture) -> None:
    found = LogDiverged("The log was changed.", code="log_forked", details={"number": 3})

    assert [raise_alarm(found).details for _ in range(2)] == [{"alarm": "log_forked"}] * 2
    assert LogAlarm.objects.get().details == {"number": 3}
    assert [each.levelname for each in caplog.records] == ["CRITICAL"]


def test_old_tiles_are_looked_at_in_turn() -> None:
    patrol = Patrol()

    assert [patrol.take(20) for _ in range(4)] == [range(8), range(8, 16), range(16, 20), range(8)]
    assert patrol.take(0) == range(0)
