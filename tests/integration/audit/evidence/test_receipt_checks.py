"""Receipts changed behind the application's back; verification must name each."""

from typing import Any

import pytest

from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import LedgerEntry, OutboxEntry, Receipt
from governance.audit.tally import REMEDIES
from governance.audit.types import SubjectRef
from governance.audit.verification import verify_all
from governance.kernel.canonical import canonical_json, sha256_hex
from governance.kernel.ids import new_id
from governance.keys.dsse import IN_TOTO_PAYLOAD_TYPE, sign_envelope
from governance.keys.ring import KeyPurpose, KeyRing
from tests.factories.audit import receipt_of
from tests.factories.keys import development_ring
from tests.history import guards_lifted
from tests.receipts import statement_in

pytestmark = pytest.mark.django_db(transaction=True)
SUBJECT = SubjectRef("asset", "01997c3e-8f6b-7d5c-9a53-2f1d0c6e4ba1")


@pytest.fixture
def receipt() -> Receipt:
    """Return a receipt whose entry has its place."""
    made = receipt_of(SUBJECT)
    sequence_pending()
    return made


def forge(receipt: Receipt, **columns: Any) -> None:
    with guards_lifted():
        Receipt.objects.filter(id=receipt.id).update(**columns)


def found() -> list[str]:
    faults = verify_all().faults
    assert all(fault.remedy == REMEDIES[fault.check] for fault in faults)
    return [fault.check for fault in faults if fault.subject.startswith("receipt ")]


def resigned(ring: KeyRing, statement: dict[str, Any], purpose: KeyPurpose = KeyPurpose.RECEIPT) -> dict[str, str]:
    payload = canonical_json(statement)
    envelope = sign_envelope(key_ring=ring, purpose=purpose, payload_type=IN_TOTO_PAYLOAD_TYPE, payload=payload)
    text = envelope.to_json()
    return {"envelope": text, "envelope_sha256": sha256_hex(text.encode())}


def test_untouched_receipts_hold_waiting_and_placed(receipt: Receipt) -> None:
    receipt_of(SubjectRef("asset", str(new_id())))

    report = verify_all()

    assert report.ok
    assert report.checked["receipts"] == 2
    assert verify_all(subject=SUBJECT).checked["receipts"] == 1


def test_another_envelope_is_found(receipt: Receipt) -> None:
    forge(receipt, envelope=receipt.envelope.replace("payload", "payroll"))

    assert found() == ["receipt_digest"]


def test_another_envelope_with_its_digest_is_found(receipt: Receipt) -> None:
    text = receipt.envelope.replace('"sig":"', '"sig":"AAAA')
    forge(receipt, envelope=text, envelope_sha256=sha256_hex(text.encode()))

    assert found() == ["receipt_signature", "receipt_ledger"]


def test_a_statement_signed_for_another_purpose_is_found(receipt: Receipt, ring: KeyRing) -> None:
    forge(receipt, **resigned(ring, statement_in(receipt), KeyPurpose.EVIDENCE))

    assert found() == ["receipt_signature", "receipt_ledger"]


def test_a_statement_of_another_ring_is_found(receipt: Receipt) -> None:
    forge(receipt, **resigned(development_ring(), statement_in(receipt)))

    assert found() == ["receipt_signature", "receipt_ledger"]


def test_a_statement_signed_again_is_found(receipt: Receipt, ring: KeyRing) -> None:
    statement = statement_in(receipt)
    statement["predicate"]["asset"] = "a-3"
    forge(receipt, **resigned(ring, statement))

    assert found() == ["receipt_ledger"]


def test_what_is_no_statement_is_found(receipt: Receipt, ring: KeyRing) -> None:
    forge(receipt, **resigned(ring, {"nothing": 1}))

    assert found() == ["receipt_row", "receipt_ledger"]


@pytest.mark.parametrize(
    ("column", "value", "checks"),
    [
        ("kind", "asset.lost", ["receipt_row", "receipt_ledger"]),
        ("subject_type", "job", ["receipt_row", "receipt_ledger"]),
        ("subject_id", "a-9", ["receipt_row", "receipt_ledger"]),
        ("predicate_type", "https://assent.dev/predicates/other/v1", ["receipt_row", "receipt_ledger"]),
        ("key_id", "0123456789abcdef", ["receipt_row", "receipt_ledger"]),
        ("envelope_sha256", "00" * 32, ["receipt_digest", "receipt_ledger"]),
        ("entry_id", new_id(), ["receipt_row", "receipt_ledger"]),
    ],
)
def test_every_column_of_a_receipt_is_compared(receipt: Receipt, column: str, value: Any, checks: list[str]) -> None:
    forge(receipt, **{column: value})

    assert found() == checks


def test_a_receipt_without_an_entry_is_found() -> None:
    receipt_of(SUBJECT)
    OutboxEntry.objects.all().delete()

    [fault] = verify_all().faults
    assert (fault.check, fault.message) == ("receipt_ledger", "The ledger has no entry for it.")
    assert LedgerEntry.objects.count() == 0
