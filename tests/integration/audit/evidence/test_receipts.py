import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from governance.audit.entries import EvidenceAnchored
from governance.audit.errors import EntryInvalid, OutsideTransaction, ReceiptMissing
from governance.audit.evidence.anchoring import anchor_evidence
from governance.audit.evidence.receipts import (
    evidence_file,
    needed_receipt,
    receipt_data,
    receipt_file,
    receipt_for,
    record_with_receipt,
)
from governance.audit.log.checkpoints import advance_log
from governance.audit.log.sequencer import sequence_pending
from governance.audit.log.trust import trust_file
from governance.audit.models import OutboxEntry, Receipt
from governance.audit.types import Actor, SubjectRef
from governance.catalog.entries import AssetRegistered, CreatorErased
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex
from governance.kernel.clock import ManualClock
from governance.kernel.ids import new_id
from governance.keys.dsse import IN_TOTO_PAYLOAD_TYPE, Envelope, verify_envelope
from governance.keys.ring import KeyPurpose, KeyRing
from governance.transparency.verifier import Status, Verdict, verify
from tests.factories.audit import LooseEntry, example_predicate, issued_evidence, receipt_of, record_entries, uploaded
from tests.factories.checkpoints import TestWitness, make_checkpoint
from tests.receipts import statement_in

pytestmark = pytest.mark.django_db

#: Keys are made before; a time after any real one, so that they are valid then.
NOW = datetime(2126, 6, 1, 8, tzinfo=UTC)
SUBJECT = SubjectRef("asset", "01997c3e-8f6b-7d5c-9a53-2f1d0c6e4ba1")


def test_receipt_is_a_signed_statement_of_its_entry(ring: KeyRing) -> None:
    with clock.using(ManualClock(NOW)):
        receipt = receipt_of(SUBJECT)

    envelope = Envelope.from_json(receipt.envelope)
    verify_envelope(
        key_ring=ring, purpose=KeyPurpose.RECEIPT, envelope=envelope, expected_payload_type=IN_TOTO_PAYLOAD_TYPE, at=NOW
    )
    assert statement_in(receipt) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "upload", "digest": {"sha256": "ab" * 32}}],
        "predicateType": "https://assent.dev/predicates/upload/v1",
        "predicate": {
            **example_predicate("upload/v1", asset=SUBJECT.id),
            "receipt": {
                "id": str(receipt.id),
                "entry_id": str(receipt.entry_id),
                "kind": "asset.registered",
                "subject": {"type": "asset", "id": SUBJECT.id},
                "issued_at": "2126-06-01T08:00:00.000000Z",
                "included_by": "2126-06-01T08:01:00.000000Z",
            },
        },
    }


def test_entry_holds_the_digest_of_the_receipt() -> None:
    receipt = receipt_of(SUBJECT)

    entry = OutboxEntry.objects.get(entry_id=receipt.entry_id)
    assert entry.kind == receipt.kind == "asset.registered"
    assert receipt_data(receipt).items() <= _data(entry).items()
    assert _data(entry)["envelope_sha256"] == sha256_hex(receipt.envelope.encode())
    assert _data(entry)["size"] == 3


def _data(entry: OutboxEntry) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(bytes(entry.body))["data"]
    return data


def test_entry_and_receipt_stand_or_fall_together() -> None:
    with transaction.atomic():
        receipt_of(SUBJECT)
        transaction.set_rollback(True)

    assert (OutboxEntry.objects.count(), Receipt.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_receipt_needs_the_transaction_of_what_it_tells() -> None:
    with pytest.raises(OutsideTransaction):
        record_with_receipt(
            uploaded(),
            subject=SUBJECT,
            actor=Actor("system", "s"),
            statement_subject=[{"name": "upload", "digest": {"sha256": "ab" * 32}}],
            predicate=example_predicate("upload/v1", asset=SUBJECT.id),
        )

    assert Receipt.objects.count() == 0


@pytest.mark.odd_statements
@pytest.mark.parametrize(
    "given",
    [
        {"predicate": {"receipt": {}}},
        {"statement_subject": []},
        {"statement_subject": [{"name": "upload"}]},
        {"statement_subject": [{"name": "upload", "digest": {"sha256": 7}}]},
        {"entry": uploaded(kind="no kind")},
        {"entry": LooseEntry("asset.registered", {}, subject="asset")},
        {"entry": uploaded(subject="job")},
    ],
)
def test_what_cannot_be_stated_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(EntryInvalid):
        receipt_of(SUBJECT, **given)

    assert Receipt.objects.count() == 0


@pytest.mark.odd_statements
def test_newest_receipt_of_a_subject_is_found() -> None:
    first, second = receipt_of(SUBJECT), receipt_of(SUBJECT, entry=uploaded(kind="asset.replaced"))
    receipt_of(SubjectRef("asset", str(new_id())))

    assert receipt_for(SUBJECT) == second
    assert receipt_for(SUBJECT, AssetRegistered) == first
    assert receipt_for(SUBJECT, CreatorErased) is None


def test_evidence_says_by_when_it_will_be_in_the_log() -> None:
    with clock.using(ManualClock(NOW)):
        evidence = issued_evidence()

    payload = statement_in(Receipt(envelope=evidence.envelope))
    assert payload["predicate"]["evidence"]["included_by"] == "2126-06-01T08:01:00.000000Z"
    assert evidence.created_at + timedelta(seconds=60) == datetime(2126, 6, 1, 8, 1, tzinfo=UTC)


def test_anchoring_leaves_a_receipt_of_the_stored_bytes() -> None:
    evidence = issued_evidence()

    reference = anchor_evidence(evidence_id=evidence.id)

    receipt = receipt_for(SubjectRef(evidence.subject_type, evidence.subject_id), EvidenceAnchored)
    assert receipt is not None
    statement = statement_in(receipt)
    assert statement["predicateType"] == "https://assent.dev/predicates/worm-anchor/v1"
    assert statement["subject"] == [{"name": "object", "digest": {"sha256": reference.sha256}}]
    assert statement["predicate"]["uri"] == reference.uri
    assert reference.sha256 == evidence.envelope_sha256


# Receipt files


def _verified(document: dict[str, Any], artifact: bytes | None = None) -> Verdict:
    return verify(json.dumps(document).encode(), artifact, trust_file())


def test_a_receipt_is_first_a_promise_and_then_a_proof() -> None:
    receipt = receipt_of(SUBJECT)
    waiting = receipt_file(receipt)
    sequence_pending()
    placed = receipt_file(receipt)
    advance_log()
    proven = receipt_file(receipt)

    assert (waiting["proof"], placed["proof"]) == (None, None)
    assert waiting == placed == proven | {"proof": None}
    assert waiting["included_by"] == statement_in(receipt)["predicate"]["receipt"]["included_by"]
    assert _verified(waiting).status is Status.UNUSABLE
    assert _verified(proven).status is Status.VALID


def test_a_proof_stays_the_same_promise_while_the_log_grows() -> None:
    receipt = receipt_of(SUBJECT)
    advance_log()
    early = receipt_file(receipt)
    record_entries(20)
    advance_log()
    late = receipt_file(receipt)

    assert early["proof"] != late["proof"]
    assert [_verified(each).status for each in (early, late)] == [Status.VALID, Status.VALID]


def test_evidence_is_a_receipt_in_both_phases() -> None:
    evidence = issued_evidence()
    waiting = evidence_file(evidence)
    advance_log()
    proven = evidence_file(evidence)

    assert waiting == proven | {"proof": None}
    assert _verified(proven).status is Status.VALID


def test_anchored_evidence_is_proven_byte_for_byte() -> None:
    evidence = issued_evidence()
    anchor_evidence(evidence_id=evidence.id)
    advance_log()

    receipt = needed_receipt(SubjectRef(evidence.subject_type, evidence.subject_id), EvidenceAnchored)

    assert _verified(receipt_file(receipt), evidence.envelope.encode()).status is Status.VALID


@pytest.mark.parametrize("call", [lambda receipt: receipt_file(receipt), lambda receipt: _evidence_without_entry()])
def test_without_an_entry_there_is_no_receipt(call: Callable[[Receipt], Any]) -> None:
    receipt = receipt_of(SUBJECT)
    OutboxEntry.objects.all().delete()

    with pytest.raises(ReceiptMissing):
        call(receipt)


def _evidence_without_entry() -> Any:
    evidence = issued_evidence()
    OutboxEntry.objects.all().delete()
    return evidence_file(evidence)


def test_what_has_no_receipt_says_why() -> None:
    with pytest.raises(ReceiptMissing, match="before receipts were issued"):
        needed_receipt(SUBJECT, AssetRegistered)


def test_a_rotated_key_proves_what_it_signed_and_nothing_later(ring: KeyRing) -> None:
    old = receipt_of(SUBJECT)
    advance_log()
    ring.rotate(purpose=KeyPurpose.RECEIPT)
    with clock.using(ManualClock(clock.now() + timedelta(hours=2))):
        advance_log()
        new = receipt_of(SUBJECT)
        advance_log()

        assert [_verified(receipt_file(each)).status for each in (old, new)] == [Status.VALID, Status.VALID]
        assert old.key_id != new.key_id


def test_a_revoked_key_stops_counting(ring: KeyRing) -> None:
    good = receipt_of(SUBJECT)
    advance_log()
    with clock.using(ManualClock(clock.now() + timedelta(minutes=1))):
        ring.revoke(key_id=good.key_id)
        advance_log()
        trusted = json.loads(trust_file())

    [key] = [each for each in trusted["keys"] if each["key_id"] == good.key_id]
    assert key["revoked_from_index"] is not None
    assert verify(json.dumps(receipt_file(good)).encode(), None, json.dumps(trusted).encode()).status is Status.VALID
    key["revoked_from_index"] = key["from_index"]
    refused = verify(json.dumps(receipt_file(good)).encode(), None, json.dumps(trusted).encode())
    assert refused.failed is not None
    assert refused.failed.name == "key"


def test_enough_witnesses_must_have_seen_the_checkpoint(settings: Any) -> None:
    witness = TestWitness("witness.example/w1")
    settings.ASSENT_WITNESSES, settings.ASSENT_WITNESS_QUORUM = [witness.setting], 1
    receipt = receipt_of(SUBJECT)
    sequence_pending()
    checkpoint = make_checkpoint()
    unseen = receipt_file(receipt)
    witness.cosign(checkpoint)

    assert unseen["proof"] is None
    verdict = _verified(receipt_file(receipt))
    assert verdict.status is Status.VALID
    assert "witness.example/w1 at" in verdict.steps[-1].detail
