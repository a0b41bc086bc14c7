"""Recording a ledger entry in the transaction of what it tells of."""

from collections.abc import Mapping
from uuid import UUID

from django.db import connection

from governance.audit.errors import OutsideTransaction
from governance.audit.recording.entries import build_entry
from governance.audit.recording.outbox import put_into_outbox
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import Json
from governance.kernel.ids import new_id


def record(
    *, kind: str, subject: SubjectRef, actor: Actor, data: Mapping[str, Json], entry_id: UUID | None = None
) -> UUID:
    """Write a ledger entry in the present transaction, so that it stands or falls with what it tells of.

    `data` holds ids, digests, numbers and codes, never personal data: an entry cannot be taken back. Returns the
    entry's id; its place in the ledger comes later, by `sequence_pending`. A receipt that names its entry gives the
    `entry_id` beforehand. Raises OutsideTransaction, EntryInvalid, NotCanonical.
    """
    need_transaction(f"the entry '{kind}'")
    entry_id, now = entry_id or new_id(), clock.now()
    body = build_entry(entry_id=entry_id, kind=kind, subject=subject, actor=actor, at=now, data=data)
    put_into_outbox(entry_id=entry_id, kind=kind, subject=subject, actor=actor, occurred_at=now, body=body)
    return entry_id


def need_transaction(what: str) -> None:
    """Raise OutsideTransaction outside a transaction, where `what` could come apart from what it tells of."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"Outside a transaction, {what} could come apart from what it tells of.")
