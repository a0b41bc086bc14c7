import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from governance.audit.errors import (
    EntryInvalid,
    EvidenceAltered,
    EvidenceExists,
    EvidenceMissing,
    OutsideTransaction,
    WormOverwriteRefused,
    WormUnavailable,
)
from governance.audit.evidence import anchoring
from governance.audit.evidence.anchoring import anchor_evidence, anchor_pending
from governance.audit.evidence.issue import issue_evidence
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import EvidenceRecord, LedgerEntry, OutboxEntry, RetentionClass, TreeHead, WormReference
from governance.audit.ports import worm_store
from governance.audit.recording.record import record
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex
from governance.kernel.clock import ManualClock
from governance.keys.dsse import IN_TOTO_PAYLOAD_TYPE, Envelope, verify_envelope
from governance.keys.ring import KeyPurpose, KeyRing, KeyUnavailable
from governance.transparency.merkle import Frontier, leaf_hash
from tests.factories.audit import (
    ActorFactory,
    LooseEntry,
    SubjectRefFactory,
    example_predicate,
    issued_evidence,
    record_entries,
)
from tests.history import guards_lifted
from tests.threads import in_threads

pytestmark = pytest.mark.django_db

START = datetime(2026, 6, 1, 8, tzinfo=UTC)


class BusinessFailed(Exception):
    """Something else in the transaction went wrong."""


# record


def test_entry_waits_in_the_outbox_with_its_final_bytes() -> None:
    subject, actor = SubjectRef("job", "j-1"), Actor("client", "c-1")
    with clock.using(ManualClock(START)):
        entry_id = record(LooseEntry("job.submitted", {"size": 3}), subject=subject, actor=actor)

    entry = OutboxEntry.objects.get()
    assert entry.entry_id == entry_id
    assert str(entry) == "job.submitted job:j-1"
    assert json.loads(bytes(entry.body)) == {
        "v": 1,
        "entry_id": str(entry_id),
        "kind": "job.submitted",
        "subject": {"type": "job", "id": "j-1"},
        "actor": {"type": "client", "id": "c-1"},
        "at": "2026-06-01T08:00:00.000000Z",
        "data": {"size": 3},
    }


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_is_refused() -> None:
    with pytest.raises(OutsideTransaction, match=r"job\.submitted") as caught:
        record(LooseEntry("job.submitted", {}), subject=SubjectRefFactory(), actor=ActorFactory())
    assert caught.value.error_code == "ledger_outside_transaction"
    with pytest.raises(OutsideTransaction):
        issue_evidence(
            subject=SubjectRefFactory(), outcome="denied", predicate_type="t", statement_subject=[], predicate={}
        )
    assert OutboxEntry.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_rolled_back_business_leaves_no_entry() -> None:
    def business() -> None:
        with transaction.atomic():
            record(LooseEntry("job.submitted", {}), subject=SubjectRefFactory(), actor=ActorFactory())
            issued_evidence()
            raise BusinessFailed

    with pytest.raises(BusinessFailed):
        business()

    assert sequence_pending() == 0
    assert (OutboxEntry.objects.count(), EvidenceRecord.objects.count(), LedgerEntry.objects.count()) == (0, 0, 0)


def test_entry_that_is_none_is_refused() -> None:
    with pytest.raises(EntryInvalid):
        record(LooseEntry("nonsense", {}), subject=SubjectRefFactory(), actor=ActorFactory())
    assert OutboxEntry.objects.count() == 0


# sequence_pending


def test_nothing_waiting_changes_nothing() -> None:
    assert sequence_pending() == 0
    assert TreeHead.objects.count() == 0


def test_entries_get_places_without_gaps_and_the_tree_grows() -> None:
    subject = record_entries(5)
    bodies = [bytes(body) for body in OutboxEntry.objects.order_by("id").values_list("body", flat=True)]

    assert [sequence_pending(limit=3), sequence_pending(limit=3), sequence_pending(limit=3)] == [3, 2, 0]

    entries = list(LedgerEntry.objects.order_by("index"))
    assert [entry.index for entry in entries] == [0, 1, 2, 3, 4]
    assert [bytes(entry.body) for entry in entries] == bodies
    assert [bytes(entry.leaf_hash) for entry in entries] == [leaf_hash(body) for body in bodies]
    assert {(entry.subject_type, entry.subject_id) for entry in entries} == {(subject.type, subject.id)}
    assert OutboxEntry.objects.count() == 0
    assert [head.size for head in TreeHead.objects.order_by("size")] == [3, 5]
    newest = TreeHead.objects.get(size=5)
    assert bytes(newest.root_hash) == Frontier().extended(map(leaf_hash, bodies)).root()


@pytest.mark.django_db(transaction=True)
def test_only_one_sequencer_acts() -> None:
    record_entries(3)
    with transaction.atomic():
        assert sequence_pending() == 3
        assert in_threads(sequence_pending, sequence_pending) == [0, 0]
    assert in_threads(sequence_pending) == [0]
    assert LedgerEntry.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_commits_late_gets_a_later_place_and_none_is_lost() -> None:
    with transaction.atomic():
        late = record_entries(1)
        early = in_threads(lambda: record_entries(1))[0]
        assert in_threads(sequence_pending) == [1]
    assert sequence_pending() == 1

    order = LedgerEntry.objects.order_by("index").values_list("index", "subject_id")
    assert list(order) == [(0, early.id), (1, late.id)]


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_sequencers_leave_no_gap() -> None:
    def write() -> int:
        record_entries(20)
        return 0

    def order() -> int:
        return sum(sequence_pending(limit=7) for _ in range(30))

    sequenced = sum(in_threads(write, write, write, write, order, order))
    sequenced += sum(iter(sequence_pending, 0))

    assert sequenced == 80
    assert list(LedgerEntry.objects.order_by("index").values_list("index", flat=True)) == list(range(80))
    assert TreeHead.objects.latest("size").size == 80


# issue_evidence


def test_evidence_is_a_signed_statement_with_a_ledger_entry(ring: KeyRing) -> None:
    subject, predicate = SubjectRef("job", "j-9"), example_predicate("job-outcome/v1", attempts=2)
    with clock.using(ManualClock(datetime.now(UTC) + timedelta(seconds=5))) as manual:
        evidence = issued_evidence(subject=subject, predicate=predicate)

    envelope = Envelope.from_json(evidence.envelope)
    payload = verify_envelope(
        key_ring=ring,
        purpose=KeyPurpose.EVIDENCE,
        envelope=envelope,
        expected_payload_type=IN_TOTO_PAYLOAD_TYPE,
    )
    assert json.loads(payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "output", "digest": {"sha256": "ab" * 32}}],
        "predicateType": "https://assent.dev/predicates/job-outcome/v1",
        "predicate": {
            **predicate,
            "evidence": {
                "id": str(evidence.id),
                "subject": {"type": "job", "id": "j-9"},
                "outcome": "released",
                "issued_at": manual.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "included_by": (manual.now() + timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        },
    }
    assert evidence.envelope_sha256 == sha256_hex(evidence.envelope.encode())
    assert evidence.key_id == envelope.signatures[0].key_id
    entry = OutboxEntry.objects.get()
    assert (entry.kind, entry.actor_type, entry.actor_id) == ("evidence.issued", "system", "audit")
    assert json.loads(bytes(entry.body))["data"] == {
        "evidence_id": str(evidence.id),
        "outcome": "released",
        "predicate_type": evidence.predicate_type,
        "envelope_sha256": evidence.envelope_sha256,
        "key_id": evidence.key_id,
    }


@pytest.mark.odd_statements
def test_second_evidence_of_a_subject_is_refused_and_the_transaction_lives_on() -> None:
    first = issued_evidence()
    subject = SubjectRef(first.subject_type, first.subject_id)

    with pytest.raises(EvidenceExists, match=first.subject_id):
        issued_evidence(subject=subject, outcome="denied")

    assert EvidenceRecord.objects.get().outcome == "released"
    assert OutboxEntry.objects.count() == 1


@pytest.mark.parametrize(
    "given",
    [
        {"statement_subject": []},
        {"statement_subject": ["output"]},
        {"statement_subject": [{"name": "output"}]},
        {"statement_subject": [{"digest": {"sha256": "ab"}}]},
        {"statement_subject": [{"name": "output", "digest": {}}]},
        {"statement_subject": [{"name": "output", "digest": {"sha256": 5}}]},
        {"predicate": {"evidence": {}}},
        {"subject": SubjectRef("job", "a/b")},
        {"subject": SubjectRef("job", "..")},
    ],
)
def test_statement_that_is_none_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(EntryInvalid):
        issued_evidence(**given)
    assert EvidenceRecord.objects.count() == 0


def test_without_a_valid_key_there_is_no_evidence(ring: KeyRing) -> None:
    for info in ring.public_keys():
        ring.revoke(key_id=info.key_id)

    with pytest.raises(KeyUnavailable):
        issued_evidence()
    assert EvidenceRecord.objects.count() == 0


# anchor_evidence


def test_anchoring_writes_once_and_remembers_where(worm_root: Path) -> None:
    RetentionClass.objects.update_or_create(kind="evidence", partner="", region="", defaults={"days": 10})
    evidence = issued_evidence()

    reference = anchor_evidence(evidence_id=evidence.id)
    again = anchor_evidence(evidence_id=evidence.id)

    key = f"evidence/{evidence.created_at:%Y/%m/%d}/job/{evidence.subject_id}.json"
    assert (worm_root / "objects" / key).read_text() == evidence.envelope
    assert again == reference == WormReference.objects.get()
    assert reference.uri == str(reference) == "worm+file:" + key
    assert reference.sha256 == evidence.envelope_sha256
    assert (reference.size, reference.mode) == (len(evidence.envelope), "filesystem")
    assert timedelta(days=10) - timedelta(minutes=1) < reference.retain_until - clock.now() < timedelta(days=10)
    kinds = OutboxEntry.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["evidence.issued", "evidence.anchored"]


def test_unknown_evidence_cannot_be_anchored() -> None:
    with pytest.raises(EvidenceMissing):
        anchor_evidence(evidence_id=UUID(int=5))


@pytest.mark.django_db(transaction=True)
def test_two_callers_at_once_give_one_reference() -> None:
    evidence = issued_evidence()

    references = in_threads(*[lambda: anchor_evidence(evidence_id=evidence.id)] * 4)

    assert len({reference.id for reference in references}) == 1
    assert WormReference.objects.count() == 1
    assert OutboxEntry.objects.filter(kind="evidence.anchored").count() == 1


class KilledAfterPut(FilesystemWormStore):
    """Stores, and then the process is gone."""

    def put(self, **given: Any) -> Any:
        super().put(**given)
        raise SystemExit


@pytest.mark.django_db(transaction=True)
def test_killed_between_put_and_reference_the_next_caller_completes_it(worm_root: Path) -> None:
    evidence = issued_evidence()
    with worm_store.override(KilledAfterPut(worm_root)), pytest.raises(SystemExit):
        anchor_evidence(evidence_id=evidence.id)
    assert WormReference.objects.count() == 0
    assert (worm_root / "objects").exists()

    reference = anchor_evidence(evidence_id=evidence.id)

    assert reference.sha256 == evidence.envelope_sha256
    assert OutboxEntry.objects.filter(kind="evidence.anchored").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"envelope_sha256": "0" * 64}, "evidence_digest"),
        ({"outcome": "denied"}, "evidence_row"),
        ({"predicate_type": "other"}, "evidence_row"),
        ({"key_id": "other"}, "evidence_row"),
    ],
)
def test_altered_evidence_is_not_anchored(change: dict[str, str], code: str, worm_root: Path) -> None:
    evidence = issued_evidence()
    with guards_lifted():
        EvidenceRecord.objects.update(**change)

    with pytest.raises(EvidenceAltered) as caught:
        anchor_evidence(evidence_id=evidence.id)

    assert caught.value.error_code == code
    assert not worm_root.exists()


# anchor_pending


def test_pending_evidence_is_anchored_oldest_first_and_up_to_the_limit() -> None:
    first, second, third = (issued_evidence() for _ in range(3))

    assert anchor_pending(limit=2) == 2
    assert set(WormReference.objects.values_list("evidence_id", flat=True)) == {first.id, second.id}
    assert [anchor_pending(), anchor_pending()] == [1, 0]
    assert WormReference.objects.filter(evidence=third).exists()


def test_one_that_cannot_be_anchored_does_not_hold_up_the_others(
    store: FilesystemWormStore, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned, healthy = issued_evidence(), issued_evidence()
    store.put(key=anchoring.worm_key(poisoned), data=b"squatter", retain_until=clock.now() + timedelta(days=1))

    assert anchor_pending() == 1

    assert WormReference.objects.get().evidence_id == healthy.id
    assert str(poisoned.id) in caplog.text
    assert WormOverwriteRefused.code in caplog.text


def test_many_that_cannot_be_anchored_do_not_use_up_the_limit(store: FilesystemWormStore) -> None:
    poisoned, healthy = [issued_evidence() for _ in range(3)], issued_evidence()
    for record_ in poisoned:
        store.put(key=anchoring.worm_key(record_), data=b"squatter", retain_until=clock.now() + timedelta(days=1))

    assert anchor_pending(limit=2) == 1

    assert WormReference.objects.get().evidence_id == healthy.id


def test_a_store_that_does_not_work_is_reported(worm_root: Path) -> None:
    issued_evidence()
    worm_root.write_text("in the way")

    with pytest.raises(WormUnavailable):
        anchor_pending()
