"""Checkpoints: published once, in order, and only over what was published before."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction

from governance.audit.choices import WormKind
from governance.audit.errors import WormUnavailable
from governance.audit.guards.advisory_locks import AdvisoryLock, try_lock
from governance.audit.log.checkpoints import (
    advance_log,
    log_status,
    newest_checkpoint,
    published_checkpoint,
    signed_note_of,
)
from governance.audit.log.log_alarms import halted
from governance.audit.log.log_reader import log_size, root_at
from governance.audit.log.sequencer import sequence_all
from governance.audit.models import Checkpoint, LedgerEntry
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.kernel.canonical import sha256_hex
from governance.keys.ring import KeyAlgorithm, KeyPurpose, KeyRing, KeyUnavailable
from governance.transparency.notes import CheckpointBody, open_note, parse_checkpoint, parse_vkey, vkey_of
from tests.factories.audit import record_entries
from tests.factories.checkpoints import TestWitness
from tests.log_damage import ORIGIN, forget_rows, public_of, signed, slot
from tests.threads import in_threads

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_log")]


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


def test_waiting_entries_are_reported() -> None:
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
    monkeypatch.setattr("governance.keys.pairs.REQUIRED_ALGORITHM", {})
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

    monkeypatch.setattr("governance.audit.log.cosigning.cosign_all", answer)
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
        assert try_lock(AdvisoryLock.PUBLISHER)
        (status,) = in_threads(advance_log)
    assert (status.size, status.checkpoint_size) == (log_size(), 0)
    assert advance_log().lag_entries == 0
