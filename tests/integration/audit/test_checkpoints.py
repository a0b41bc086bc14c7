import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import LazySettings
from django.db import connection, transaction

from governance.audit import checkpoints, log_guard
from governance.audit.checkpoint_slots import slot_key
from governance.audit.checkpoints import (
    advance_log,
    log_status,
    newest_checkpoint,
    published_checkpoint,
    signed_note_of,
)
from governance.audit.choices import WormKind
from governance.audit.errors import LogDiverged, LogHalted, SuccessionInvalid, WormUnavailable
from governance.audit.log_alarms import codes_of, ensure_running, halted, raise_alarm, resolve_alarms
from governance.audit.log_guard import Patrol
from governance.audit.log_reader import log_size, root_at
from governance.audit.merkle import Frontier, leaf_hash
from governance.audit.models import Checkpoint, LedgerEntry, LogAlarm, LogTile, OutboxEntry, TreeHead, WormReference
from governance.audit.notes import CheckpointBody, open_note, parse_checkpoint, parse_vkey, sign_note, vkey_of
from governance.audit.ports import worm_store
from governance.audit.sequencer import sequence_all
from governance.audit.succession import last_in_storage, succeed
from governance.audit.types import Actor
from governance.audit.worm_filesystem import FilesystemWormStore
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex
from governance.kernel.keys import KeyAlgorithm, KeyPurpose, KeyRing, KeyUnavailable, key_ring
from tests.factories.audit import filled_log, record_entries
from tests.factories.checkpoints import TestWitness
from tests.factories.keys import development_ring
from tests.history import guards_lifted
from tests.threads import in_threads

pytestmark = pytest.mark.django_db

ORIGIN = "assent.local/log"
OPERATOR = Actor("system", "command")


@pytest.fixture(autouse=True)
def own_patrol(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test begin its round of old entries at the first."""
    monkeypatch.setattr(log_guard, "patrol", Patrol())


@pytest.fixture(autouse=True)
def own_origin(settings: LazySettings) -> None:
    settings.ASSENT_LOG_ORIGIN = ORIGIN
    settings.ASSENT_WITNESSES = []
    settings.ASSENT_WITNESS_QUORUM = 0


def slot(worm_root: Path, number: int, origin: str = ORIGIN) -> Path:
    return worm_root / "objects" / slot_key(origin=origin, number=number)


def forget_rows(*, from_number: int) -> None:
    """Let the database lose checkpoints, as when their signer was killed or a backup was restored."""
    with guards_lifted():
        lost = Checkpoint.objects.filter(number__gte=from_number)
        references = list(lost.values_list("reference_id", flat=True))
        lost._raw_delete(using="default")
        WormReference.objects.filter(id__in=references)._raw_delete(using="default")


def forget_entries(*, from_index: int) -> None:
    """Let the database lose entries with all that was built over them."""
    with guards_lifted():
        LedgerEntry.objects.filter(index__gte=from_index)._raw_delete(using="default")
        TreeHead.objects.filter(size__gt=from_index)._raw_delete(using="default")


def rebuild_tree() -> None:
    """Make hashes, tiles and tree head over the entries' bytes anew, as a careful forger would."""
    leaves = [leaf_hash(bytes(body)) for body in LedgerEntry.objects.order_by("index").values_list("body", flat=True)]
    tree = Frontier().extended(leaves)
    with guards_lifted():
        for index, leaf in enumerate(leaves):
            LedgerEntry.objects.filter(index=index).update(leaf_hash=leaf)
        for head in TreeHead.objects.all():
            part = Frontier().extended(leaves[: head.size])
            TreeHead.objects.filter(size=head.size).update(root_hash=part.root(), frontier=part.to_bytes())
        for tile in LogTile.objects.filter(level=0):
            part = leaves[tile.number * 256 : (tile.number + 1) * 256]
            root = Frontier().extended(part).root()
            LogTile.objects.filter(id=tile.id).update(hashes=b"".join(part), root=root)
    assert tree.size == log_size()


# Publishing


def test_an_entry_gets_under_a_signed_checkpoint_that_lies_in_worm_storage(worm_root: Path, ring: KeyRing) -> None:
    record_entries(3)

    status = advance_log()

    checkpoint = Checkpoint.objects.get()
    assert (checkpoint.origin, checkpoint.number, checkpoint.size) == (ORIGIN, 1, log_size())
    assert (status.lag_entries, status.waiting, status.size, status.checkpoint_size) == (0, 0, log_size(), log_size())
    assert status.alarm is None
    assert status.oldest_waiting_seconds == 0
    assert status.checkpoint_age_seconds is not None
    assert slot(worm_root, 1).read_text() == checkpoint.note
    info = ring.current(purpose=KeyPurpose.CHECKPOINT)
    key = parse_vkey(vkey_of(name=ORIGIN, public=public_of(info.public_pem)))
    body = parse_checkpoint(open_note(note=checkpoint.note, keys=[key]).text)
    assert body == CheckpointBody(ORIGIN, log_size(), root_at(log_size()))
    assert (checkpoint.key_id, bytes(checkpoint.root_hash)) == (info.key_id, body.root)
    assert (checkpoint.reference.kind, checkpoint.reference.sha256) == (
        WormKind.CHECKPOINT,
        sha256_hex(checkpoint.note.encode()),
    )


def public_of(pem: str) -> bytes:
    public: Any = load_pem_public_key(pem.encode())
    return bytes(public.public_bytes_raw())


def test_keys_are_announced_before_anything_is_published() -> None:
    advance_log()

    kinds = LedgerEntry.objects.order_by("index").values_list("kind", flat=True)
    assert set(kinds) == {"key.announced"}
    assert newest_checkpoint() == Checkpoint.objects.get(size=len(kinds))


def test_at_rest_nothing_new_is_published() -> None:
    record_entries(1)
    advance_log()
    before = log_status()

    assert [advance_log().checkpoint_size for _ in range(3)] == [before.size] * 3
    assert Checkpoint.objects.count() == 1


def test_what_waits_is_told() -> None:
    assert log_status().checkpoint_age_seconds is None
    record_entries(4)

    status = log_status()

    assert (status.waiting, status.size, status.lag_entries) == (4, 0, 4)
    assert status.oldest_waiting_seconds >= 0


def test_checkpoints_are_numbered_without_gaps_and_continue_one_another(worm_root: Path) -> None:
    for _ in range(4):
        record_entries(2)
        advance_log()

    assert list(Checkpoint.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4]
    assert all(slot(worm_root, number).exists() for number in (1, 2, 3, 4))


def test_a_rotated_key_signs_the_next_checkpoint_and_the_old_one_still_counts(ring: KeyRing) -> None:
    advance_log()
    fresh = ring.rotate(purpose=KeyPurpose.CHECKPOINT)
    record_entries(1)
    advance_log()
    record_entries(1)
    advance_log()

    first, *later = Checkpoint.objects.order_by("number")
    assert first.key_id != fresh.key_id
    assert {checkpoint.key_id for checkpoint in later} == {fresh.key_id}


def test_a_key_that_notes_do_not_know_signs_nothing(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.kernel.key_pairs.REQUIRED_ALGORITHM", {})
    ring.rotate(purpose=KeyPurpose.CHECKPOINT, algorithm=KeyAlgorithm.ES256)

    with pytest.raises(KeyUnavailable, match="Rotate it"):
        advance_log()
    assert not Checkpoint.objects.exists()


class StoreDown(FilesystemWormStore):
    """A store that does not answer."""

    def find(self, *, key: str) -> Any:
        raise WormUnavailable("The WORM store does not work.")


def test_a_store_that_is_down_is_no_alarm_and_is_tried_again(worm_root: Path) -> None:
    record_entries(2)
    with worm_store.override(StoreDown(worm_root)), pytest.raises(WormUnavailable):
        advance_log()

    assert halted() is None
    assert not Checkpoint.objects.exists()
    assert log_size() > 0
    assert advance_log().lag_entries == 0


# Two at once, and killed in between


class KilledAfterPut(FilesystemWormStore):
    """Stores, and then the process is gone."""

    def put(self, **given: Any) -> Any:
        super().put(**given)
        raise SystemExit


@pytest.mark.django_db(transaction=True)
def test_killed_between_put_and_insert_the_checkpoint_is_taken_over(worm_root: Path) -> None:
    record_entries(2)
    with worm_store.override(KilledAfterPut(worm_root)), pytest.raises(SystemExit):
        advance_log()
    assert not Checkpoint.objects.exists()
    stored = slot(worm_root, 1).read_text()
    record_entries(1)

    assert advance_log().lag_entries == 0

    assert Checkpoint.objects.get(number=1).note == stored
    assert [each.number for each in Checkpoint.objects.order_by("number")] == [1, 2]


def test_several_lost_rows_are_taken_over() -> None:
    for _ in range(3):
        record_entries(1)
        advance_log()
    forget_rows(from_number=2)

    advance_log()

    assert Checkpoint.objects.filter(number__in=[2, 3]).count() == 2
    assert halted() is None


class TakenMeanwhile(FilesystemWormStore):
    """Another process, without our lock, takes the slot between our look and our put."""

    theirs: bytes = b""

    def put(self, **given: Any) -> Any:
        super().put(**(given | {"data": self.theirs}))
        return super().put(**given)


def test_a_slot_taken_meanwhile_is_judged_in_the_next_round(worm_root: Path, ring: KeyRing) -> None:
    record_entries(1)
    sequence_all()
    earlier = signed(ring, CheckpointBody(ORIGIN, 1, root_at(1)))
    record_entries(1)
    store = TakenMeanwhile(worm_root)
    store.theirs = earlier.encode()

    with worm_store.override(store):
        advance_log()
    assert not Checkpoint.objects.exists()

    assert advance_log().lag_entries == 0
    assert [each.size for each in Checkpoint.objects.order_by("number")] == [1, log_size()]


def signed(ring: KeyRing, body: CheckpointBody) -> str:
    """Sign with the ring's own key, as whoever has taken hold of it can."""

    def sign(message: bytes) -> bytes:
        return ring.sign(purpose=KeyPurpose.CHECKPOINT, message=message).value

    public = public_of(ring.current(purpose=KeyPurpose.CHECKPOINT).public_pem)
    return sign_note(text=body.body_text(), name=ORIGIN, public=public, sign=sign)


# Alarms


def assert_alarm(code: str, match: str) -> None:
    """The next round stops the log with that alarm; the rounds after do nothing, and nothing is released."""
    published = Checkpoint.objects.count()
    with pytest.raises(LogHalted, match=match) as caught:
        advance_log()
    assert caught.value.details == {"alarm": code}
    assert LogAlarm.objects.get(resolved_at=None).code == code
    record_entries(1)
    waiting = OutboxEntry.objects.count()
    status = advance_log()
    assert status.alarm is not None
    assert status.waiting == waiting
    assert Checkpoint.objects.count() == published
    with pytest.raises(LogHalted, match="audit status"):
        ensure_running()


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


@pytest.mark.parametrize(("index", "match"), [(3, "not those of their tile"), (598, "bytes of entry #598")])
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
        assert_alarm("checkpoint_missing", "another store")


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


# Succession


def test_a_log_under_another_name_needs_a_succession(settings: LazySettings) -> None:
    advance_log()
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"

    assert_alarm("log_origin_changed", "audit succeed")


def test_a_log_that_cannot_be_brought_back_is_succeeded(settings: LazySettings) -> None:
    for _ in range(5):
        record_entries(2)
        advance_log()
    last = Checkpoint.objects.get(number=5)
    forget_rows(from_number=2)
    forget_entries(from_index=Checkpoint.objects.get(number=1).size)
    with pytest.raises(LogHalted):
        advance_log()
    surviving = log_size()
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"

    told = succeed(old_origin=ORIGIN, reason="database restored from the backup of Monday", actor=OPERATOR)

    assert told is not None
    assert (told.number, told.body.size) == (5, last.size)
    assert halted() is None
    assert advance_log().lag_entries == 0
    entry = LedgerEntry.objects.get(kind="log.succeeded")
    assert (entry.subject_type, entry.subject_id) == ("log", "assent.local/second")
    assert json.loads(bytes(entry.body))["data"] == {
        "old_origin": ORIGIN,
        "reason": "database restored from the backup of Monday",
        "checkpoint": {"number": 5, "size": last.size, "root": b64encode(bytes(last.root_hash)).decode()},
    }
    published = published_checkpoint()
    assert published is not None
    assert (published.origin, published.number) == ("assent.local/second", 1)
    assert published.size > surviving


def test_a_log_of_which_nothing_is_left_can_be_succeeded(settings: LazySettings) -> None:
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"

    assert succeed(old_origin=ORIGIN, reason="storage lost", actor=OPERATOR) is None
    assert json.loads(bytes(OutboxEntry.objects.get().body))["data"]["checkpoint"] is None


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6])
def test_the_last_slot_is_found(count: int) -> None:
    for _ in range(count):
        record_entries(1)
        advance_log()

    last = last_in_storage(ORIGIN)
    assert (last.number if last else 0) == count


@pytest.mark.parametrize(("spoiled", "last"), [((4,), 3), ((2,), 4), ((1, 2, 3, 4), 0)])
def test_nobody_keeps_a_log_from_being_succeeded(
    spoiled: tuple[int, ...], last: int, worm_root: Path, settings: LazySettings
) -> None:
    for _ in range(4):
        record_entries(1)
        advance_log()
    for number in spoiled:
        slot(worm_root, number).chmod(0o644)
        slot(worm_root, number).write_bytes(b"spoiled")
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"

    told = succeed(old_origin=ORIGIN, reason="slots spoiled", actor=OPERATOR)

    assert (told.number if told else 0) == last
    data = json.loads(bytes(OutboxEntry.objects.get(kind="log.succeeded").body))["data"]
    assert data.get("spoiled_slots", 0) == 4 - last
    assert advance_log().lag_entries == 0


def test_a_succession_that_makes_no_sense_is_refused(settings: LazySettings) -> None:
    advance_log()
    with pytest.raises(SuccessionInvalid, match="another name"):
        succeed(old_origin=ORIGIN, reason="because", actor=OPERATOR)
    with pytest.raises(SuccessionInvalid, match="in use already"):
        succeed(old_origin="older.example", reason="because", actor=OPERATOR)
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"
    for reason in (" ", "x" * 301):
        with pytest.raises(SuccessionInvalid, match="characters"):
            succeed(old_origin=ORIGIN, reason=reason, actor=OPERATOR)
    succeed(old_origin=ORIGIN, reason="once", actor=OPERATOR)
    with pytest.raises(SuccessionInvalid, match="in use already"):
        succeed(old_origin=ORIGIN, reason="twice", actor=OPERATOR)


# Witnesses


def test_only_what_enough_witnesses_cosigned_is_published(settings: LazySettings) -> None:
    witnesses = [TestWitness("w1.example"), TestWitness("w2.example")]
    stranger = TestWitness("stranger.example")
    record_entries(1)
    advance_log()
    settings.ASSENT_WITNESSES = [witness.setting for witness in witnesses]
    settings.ASSENT_WITNESS_QUORUM = 2
    checkpoint = Checkpoint.objects.get()

    witnesses[0].cosign(checkpoint)
    stranger.cosign(checkpoint)
    assert published_checkpoint() is None
    assert log_status().lag_entries == log_size()
    witnesses[1].cosign(checkpoint)

    assert published_checkpoint() == checkpoint
    note = signed_note_of(checkpoint)
    assert note.startswith(checkpoint.note)
    assert note.count("\n— ") == 4


def test_witnesses_that_have_not_cosigned_are_asked(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = TestWitness("w1.example"), TestWitness("w2.example")
    settings.ASSENT_WITNESSES = [first.setting, second.setting]
    asked: list[dict[str, Any]] = []

    def answer(**given: Any) -> list[Any]:
        sizes = {witness.name: given["old_size_of"](witness) for witness in given["witnesses"]}
        proof = given["proof_of"](1)
        asked.append({"sizes": sizes, "proof": len(proof), "note": given["checkpoint_note"]})
        return []

    monkeypatch.setattr("governance.audit.cosigning.cosign_all", answer)
    record_entries(1)
    advance_log()
    checkpoint = Checkpoint.objects.get()
    first.cosign(checkpoint)
    advance_log()
    second.cosign(checkpoint)
    advance_log()

    assert [each["sizes"] for each in asked] == [{"w1.example": 0, "w2.example": 0}, {"w2.example": 0}]
    assert asked[0]["note"] == checkpoint.note
    assert asked[0]["proof"] > 0
    record_entries(1)
    advance_log()
    assert asked[-1]["sizes"] == {"w1.example": checkpoint.size, "w2.example": checkpoint.size}


@pytest.mark.django_db(transaction=True)
def test_only_one_publishes_at_a_time() -> None:
    record_entries(1)
    with transaction.atomic():
        assert checkpoints._is_only_publisher()
        (status,) = in_threads(advance_log)
    assert (status.size, status.checkpoint_size) == (log_size(), 0)
    assert advance_log().lag_entries == 0
