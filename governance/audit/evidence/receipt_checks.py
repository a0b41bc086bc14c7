"""Verification of receipts: row, signature and ledger entry are compared with each other."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from uuid import UUID

from governance.audit.errors import ReceiptAltered
from governance.audit.evidence.receipts import receipt_data
from governance.audit.evidence.statements import open_receipt
from governance.audit.models import LedgerEntry, OutboxEntry, Receipt
from governance.audit.recording.entries import entry_data
from governance.audit.tally import Tally, fault
from governance.audit.types import Fault, SubjectRef
from governance.kernel.canonical import Json
from governance.keys.ring import KeyRing

_CHUNK = 200
_Said = Mapping[UUID, Mapping[str, Json]]


def receipt_faults(tally: Tally, *, key_ring: KeyRing, subject: SubjectRef | None = None) -> Iterator[Fault]:
    """Check every receipt, or those about `subject`. Removed receipts are found by reconciliation."""
    rows = Receipt.objects.order_by("id")
    if subject is not None:
        rows = rows.filter(subject_type=subject.type, subject_id=subject.id)
    receipts = tally.counted("receipts", rows.iterator(chunk_size=_CHUNK), total=rows.count())
    while chunk := list(islice(receipts, _CHUNK)):
        said = _ledger_says(chunk)
        for receipt in chunk:
            yield from _faults_of(receipt, key_ring, said.get(receipt.entry_id))


def _faults_of(receipt: Receipt, key_ring: KeyRing, said: Mapping[str, Json] | None) -> Iterator[Fault]:
    name = f"receipt {receipt.id} of {receipt.subject_type}:{receipt.subject_id}"
    try:
        open_receipt(key_ring=key_ring, receipt=receipt)
    except ReceiptAltered as error:
        yield fault(name, error.error_code, error.message)
    if said is None:
        yield fault(name, "receipt_ledger", "The ledger has no entry for it.")
        return
    differing = [column for column, value in _row(receipt).items() if said.get(column) != value]
    if differing:
        yield fault(name, "receipt_ledger", f"The ledger differs in: {', '.join(differing)}.")


def _row(receipt: Receipt) -> dict[str, Json]:
    about = {"kind": receipt.kind, "subject_type": receipt.subject_type, "subject_id": receipt.subject_id}
    return about | receipt_data(receipt)


def _ledger_says(receipts: Sequence[Receipt]) -> _Said:
    wanted = [receipt.entry_id for receipt in receipts]
    # Read the outbox first: an entry that is ordered in between is then seen twice, never missed.
    entries: list[LedgerEntry | OutboxEntry] = [
        *OutboxEntry.objects.filter(entry_id__in=wanted),
        *LedgerEntry.objects.filter(entry_id__in=wanted),
    ]
    return {entry.entry_id: _recorded_data(entry) for entry in entries}


def _recorded_data(entry: LedgerEntry | OutboxEntry) -> dict[str, Json]:
    about = {"kind": entry.kind, "subject_type": entry.subject_type, "subject_id": entry.subject_id}
    return dict(entry_data(bytes(entry.body))) | about
