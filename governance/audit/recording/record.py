"""Recording a ledger entry in the transaction of the change that it records."""

from collections.abc import Mapping
from uuid import UUID

from django.db import connection

from governance.audit.errors import EntryInvalid, OutsideTransaction
from governance.audit.recording.declarations import Entry
from governance.audit.recording.entries import build_entry
from governance.audit.recording.outbox import put_into_outbox
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import Json
from governance.kernel.ids import new_id

_NONE: Mapping[str, Json] = {}


def record(
    entry: Entry,
    *,
    subject: SubjectRef,
    actor: Actor,
    entry_id: UUID | None = None,
    receipt: Mapping[str, Json] = _NONE,
) -> UUID:
    """Write a ledger entry in the current transaction, so that change and entry are committed together.

    Returns the entry's id; `sequence_pending` gives it its place in the ledger later. `entry_id` and `receipt` are for
    `record_with_receipt`, which names the entry in the receipt and the receipt in the entry. Raises OutsideTransaction,
    EntryInvalid, NotCanonical; EntryInvalid also for a missing receipt of a kind that needs one.
    """
    declared = entry.declaration
    if subject.type not in declared.subjects:
        subjects = " or ".join(declared.subjects)
        raise EntryInvalid(f"An entry '{declared.kind}' is about a {subjects}, not about {subject}.")
    if bool(receipt) != bool(declared.receipt):
        word = "with" if declared.receipt else "without"
        raise EntryInvalid(f"An entry '{declared.kind}' comes {word} a receipt.")
    need_transaction(f"the entry '{declared.kind}'")
    entry_id, now = entry_id or new_id(), clock.now()
    data = {**entry.to_data(), **receipt}
    body = build_entry(entry_id=entry_id, kind=declared.kind, subject=subject, actor=actor, at=now, data=data)
    put_into_outbox(entry_id=entry_id, kind=declared.kind, subject=subject, actor=actor, occurred_at=now, body=body)
    return entry_id


def need_transaction(what: str) -> None:
    """Raise OutsideTransaction outside a transaction, where `what` could be stored without its change."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"Outside a transaction, {what} could be stored without the change that it records.")
