"""Receipts: signed statements of single ledger entries, and the file that proves one to somebody outside.

A receipt is signed in the transaction that records its entry, and the entry holds the envelope's digest. So the place
in the log says when it was signed, and nothing signed later with a stolen key can take that place.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from governance.audit.models import Receipt
from governance.audit.services import record
from governance.audit.statements import (
    PREDICATES,
    RECEIPT_MEMBER,
    included_by,
    seal_statement,
    statement_of,
)
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import Json, sha256_hex, timestamp
from governance.kernel.ids import new_id
from governance.kernel.keys import KeyPurpose, key_ring


def record_with_receipt(
    *,
    kind: str,
    subject: SubjectRef,
    actor: Actor,
    data: Mapping[str, Json],
    predicate_type: str,
    statement_subject: Sequence[Mapping[str, Any]],
    predicate: Mapping[str, Any],
) -> Receipt:
    """Write a ledger entry as `record` does, and sign a receipt of it, both in the present transaction.

    `predicate_type` is the short name, such as "upload/v1". `statement_subject` are in-toto resource descriptors, and
    `predicate` says what happened in ids, digests and codes; it gains a member `receipt`. The entry's data gains
    `envelope_sha256`, `predicate_type` and `key_id`. Raises OutsideTransaction, EntryInvalid, NotCanonical,
    KeyUnavailable.
    """
    receipt_id, entry_id, now = new_id(), new_id(), clock.now()
    about: dict[str, Json] = {
        "id": str(receipt_id),
        "entry_id": str(entry_id),
        "kind": kind,
        "subject": {"type": subject.type, "id": subject.id},
        "issued_at": timestamp(now),
        "included_by": included_by(now),
    }
    statement = statement_of(
        predicate_type=PREDICATES + predicate_type,
        statement_subject=statement_subject,
        predicate=predicate,
        member=RECEIPT_MEMBER,
        about=about,
    )
    envelope = seal_statement(key_ring=key_ring.get(), statement=statement, purpose=KeyPurpose.RECEIPT)
    receipt = Receipt(
        id=receipt_id,
        entry_id=entry_id,
        kind=kind,
        subject_type=subject.type,
        subject_id=subject.id,
        predicate_type=PREDICATES + predicate_type,
        envelope=envelope.to_json(),
        envelope_sha256=sha256_hex(envelope.to_json().encode()),
        key_id=envelope.signatures[0].key_id,
        created_at=now,
    )
    record(kind=kind, subject=subject, actor=actor, data={**data, **receipt_data(receipt)}, entry_id=entry_id)
    receipt.save(force_insert=True)
    return receipt


def receipt_data(receipt: Receipt) -> dict[str, Json]:
    """Return what the ledger entry says of its receipt."""
    return {
        "envelope_sha256": receipt.envelope_sha256,
        "predicate_type": receipt.predicate_type,
        "key_id": receipt.key_id,
    }


def receipt_for(subject: SubjectRef, kind: str | None = None) -> Receipt | None:
    """Return the newest receipt about `subject`, of one kind of entry if that is given."""
    found = Receipt.objects.filter(subject_type=subject.type, subject_id=subject.id)
    return (found.filter(kind=kind) if kind else found).order_by("-created_at", "-id").first()
