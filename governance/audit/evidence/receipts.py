"""Receipts: signed statements of single ledger entries, and the file that proves one to third parties.

A receipt is signed in the transaction that records its entry, and the entry holds the envelope's digest. So the place
in the log dates the signature, and nothing that is signed later with a stolen key can take that place.
"""

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from governance.audit.entries import EvidenceIssued
from governance.audit.errors import EntryInvalid, ReceiptMissing
from governance.audit.evidence.statements import (
    EVIDENCE_MEMBER,
    RECEIPT_MEMBER,
    included_by,
    seal_statement,
    statement_of,
)
from governance.audit.log.checkpoints import published_checkpoint, signed_note_of
from governance.audit.log.log_reader import inclusion_proof
from governance.audit.models import EvidenceRecord, LedgerEntry, OutboxEntry, Receipt
from governance.audit.recording.declarations import Entry
from governance.audit.recording.predicates import PREDICATES
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock, strict_base64
from governance.kernel.canonical import Json, sha256_hex, timestamp
from governance.kernel.ids import new_id
from governance.kernel.json_reading import read_json, read_json_object
from governance.kernel.parsing import parse_object
from governance.keys.dsse import Envelope
from governance.keys.ring import KeyPurpose, key_ring
from governance.transparency.proofs import ProofFile, format_proof_file

FORMAT = "assent-receipt/1"


def record_with_receipt(
    entry: Entry,
    *,
    subject: SubjectRef,
    actor: Actor,
    statement_subject: Sequence[Mapping[str, Json]],
    predicate: Mapping[str, Json],
) -> Receipt:
    """Write a ledger entry as `record` does, and sign a receipt of it, both in the present transaction.

    The declaration of the entry's kind says which predicate the receipt has. `statement_subject` are in-toto resource
    descriptors, and `predicate` says what happened in ids, digests and codes; it gains a member `receipt`. The entry
    gains `envelope_sha256`, `predicate_type` and `key_id`. Raises OutsideTransaction, EntryInvalid, NotCanonical,
    KeyUnavailable.
    """
    receipt = _unsigned(entry, subject)
    statement = statement_of(
        predicate_type=receipt.predicate_type,
        statement_subject=statement_subject,
        predicate=predicate,
        member=RECEIPT_MEMBER,
        about={
            "id": str(receipt.id),
            "entry_id": str(receipt.entry_id),
            "kind": receipt.kind,
            "subject": {"type": subject.type, "id": subject.id},
            "issued_at": timestamp(receipt.created_at),
            "included_by": included_by(receipt.created_at),
        },
    )
    envelope = seal_statement(key_ring=key_ring.get(), statement=statement, purpose=KeyPurpose.RECEIPT)
    receipt.envelope = envelope.to_json()
    receipt.envelope_sha256 = sha256_hex(receipt.envelope.encode())
    receipt.key_id = envelope.signatures[0].key_id
    record(entry, subject=subject, actor=actor, entry_id=receipt.entry_id, receipt=receipt_data(receipt))
    receipt.save(force_insert=True)
    return receipt


def _unsigned(entry: Entry, subject: SubjectRef) -> Receipt:
    """Return a new receipt of an entry that is about to be recorded, without its envelope. Raises EntryInvalid."""
    kind, short_name = entry.declaration.kind, entry.declaration.receipt
    if short_name is None:
        raise EntryInvalid(f"An entry '{kind}' comes without a receipt.")
    return Receipt(
        id=new_id(),
        entry_id=new_id(),
        kind=kind,
        subject_type=subject.type,
        subject_id=subject.id,
        predicate_type=PREDICATES + short_name,
        created_at=clock.now(),
    )


def receipt_data(receipt: Receipt) -> dict[str, Json]:
    """Return what the ledger entry says of its receipt."""
    return {
        "envelope_sha256": receipt.envelope_sha256,
        "predicate_type": receipt.predicate_type,
        "key_id": receipt.key_id,
    }


def receipt_for(subject: SubjectRef, kind: type[Entry] | None = None) -> Receipt | None:
    """Return the newest receipt about `subject`, of one kind of entry if that is given."""
    found = Receipt.objects.filter(subject_type=subject.type, subject_id=subject.id)
    return (found.filter(kind=kind.declaration.kind) if kind else found).order_by("-created_at", "-id").first()


def needed_receipt(subject: SubjectRef, kind: type[Entry]) -> Receipt:
    """Return the newest receipt of a kind of entry about `subject`. Raises ReceiptMissing if there is none."""
    receipt = receipt_for(subject, kind)
    if receipt is None:
        raise ReceiptMissing("There is no receipt: this happened before receipts were issued.")
    return receipt


def receipt_document(*, envelope_text: str, entry_id: UUID) -> dict[str, Json]:
    """Return the receipt file (docs/receipts.md) of an envelope that the ledger entry `entry_id` names.

    `proof` is None until the entry is under a published checkpoint. Raises ReceiptMissing when there is no such entry.
    """
    body, index = _placed(entry_id)
    statement = read_json_object(Envelope.from_json(envelope_text).payload)
    predicate = parse_object(statement["predicate"])
    about = parse_object(predicate.get(RECEIPT_MEMBER) or predicate[EVIDENCE_MEMBER])
    return {
        "format": FORMAT,
        "envelope": cast("Json", read_json(envelope_text)),
        "entry": strict_base64.encode(body),
        "included_by": cast("Json", about.get("included_by")),
        "proof": None if index is None else entry_proof(index),
    }


def receipt_file(receipt: Receipt) -> dict[str, Json]:
    """Return the receipt file of a receipt. Raises ReceiptMissing."""
    return receipt_document(envelope_text=receipt.envelope, entry_id=receipt.entry_id)


def evidence_file(evidence: EvidenceRecord) -> dict[str, Json]:
    """Return the receipt file of evidence: it is the receipt of how something ended. Raises ReceiptMissing."""
    about = {
        "kind": EvidenceIssued.declaration.kind,
        "subject_type": evidence.subject_type,
        "subject_id": evidence.subject_id,
    }
    # Read the outbox first: an entry that is ordered in between is then found there.
    waiting = OutboxEntry.objects.filter(**about).values_list("entry_id", flat=True).first()
    entry_id = waiting or LedgerEntry.objects.filter(**about).values_list("entry_id", flat=True).first()
    if entry_id is None:
        raise ReceiptMissing(f"The ledger has no entry of the evidence {evidence.id}.")
    return receipt_document(envelope_text=evidence.envelope, entry_id=entry_id)


def _placed(entry_id: UUID) -> tuple[bytes, int | None]:
    """Return an entry's bytes and, once it has one, its place in the log."""
    waiting = OutboxEntry.objects.filter(entry_id=entry_id).first()
    placed = LedgerEntry.objects.filter(entry_id=entry_id).first()
    if placed is not None:
        return bytes(placed.body), placed.index
    if waiting is not None:
        return bytes(waiting.body), None
    raise ReceiptMissing(f"There is no ledger entry {entry_id}.")


def entry_proof(index: int) -> str | None:
    """Return the proof file of the entry at a place (c2sp.org/tlog-proof@v1), None until it is under a checkpoint.

    The checkpoint is the newest that enough witnesses have cosigned. Raises LogIncomplete.
    """
    checkpoint = published_checkpoint()
    if checkpoint is None or checkpoint.size <= index:
        return None
    hashes = inclusion_proof(index=index, size=checkpoint.size)
    return format_proof_file(ProofFile(index=index, hashes=tuple(hashes), checkpoint=signed_note_of(checkpoint)))
