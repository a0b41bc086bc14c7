"""Reads of the audit area."""

from governance.audit.models import EvidenceRecord, LedgerEntry, OutboxEntry
from governance.audit.recording.entries import entry_data
from governance.audit.types import Actor, SubjectRef, TimelineItem


def evidence_for(subject: SubjectRef) -> EvidenceRecord | None:
    """Return the evidence record of `subject` with its WORM reference, if there is one."""
    evidence = EvidenceRecord.objects.select_related("worm_reference")
    return evidence.filter(subject_type=subject.type, subject_id=subject.id).first()


def timeline(subject: SubjectRef) -> list[TimelineItem]:
    """Return all entries about `subject`, in the order of the ledger, waiting entries last."""
    about = {"subject_type": subject.type, "subject_id": subject.id}
    # Read the outbox first: an entry that is ordered in between is then seen twice, never missed.
    waiting = list(OutboxEntry.objects.filter(**about).order_by("id"))
    ordered = list(LedgerEntry.objects.filter(**about).order_by("index"))
    placed = {entry.entry_id for entry in ordered}
    return [_item(entry, entry.index) for entry in ordered] + [
        _item(entry, None) for entry in waiting if entry.entry_id not in placed
    ]


def _item(entry: LedgerEntry | OutboxEntry, index: int | None) -> TimelineItem:
    return TimelineItem(
        index=index,
        entry_id=str(entry.entry_id),
        kind=entry.kind,
        actor=Actor(entry.actor_type, entry.actor_id),
        at=entry.occurred_at,
        data=entry_data(bytes(entry.body)),
    )
