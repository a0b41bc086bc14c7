"""Verification of evidence: record, signature, ledger, WORM reference and WORM bytes are compared with each other."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db.models import QuerySet

from governance.audit.entries import EvidenceAnchored, EvidenceIssued
from governance.audit.errors import EvidenceAltered
from governance.audit.evidence.statements import open_evidence
from governance.audit.keeping.worm_checks import object_faults
from governance.audit.models import EvidenceRecord, LedgerEntry, OutboxEntry, WormReference
from governance.audit.ports import WormStore
from governance.audit.recording.entries import entry_data
from governance.audit.tally import Tally, fault
from governance.audit.types import Fault, SubjectRef
from governance.kernel.canonical import Json
from governance.keys.ring import KeyRing

T = TypeVar("T")
_CHUNK = 200
_ISSUED = EvidenceIssued.declaration.kind
_ANCHORED = EvidenceAnchored.declaration.kind
_KINDS = (_ISSUED, _ANCHORED)

#: The ledger's entries, by kind and evidence id.
_Said = dict[tuple[str, Json], Mapping[str, Json]]


def evidence_faults(
    tally: Tally, *, key_ring: KeyRing, store: WormStore, subject: SubjectRef | None = None
) -> Iterator[Fault]:
    """Check every evidence record, or that of `subject`, and what was written to WORM for it."""
    records = _about(EvidenceRecord.objects.select_related("worm_reference").order_by("id"), subject)
    rows = tally.counted("evidence_records", records.iterator(chunk_size=_CHUNK), total=records.count())
    for chunk in _chunks(rows):
        said = _ledger_says(chunk)
        for record in chunk:
            yield from _record_faults(record, key_ring, said)
            if hasattr(record, "worm_reference"):
                reference = record.worm_reference
                yield from _reference_faults(reference, said)
                expected = record.envelope.encode()
                yield from object_faults(reference, store, expected=expected, owner=_name(record))
                tally.checked["worm_objects"] += 1


def removed_faults(tally: Tally, *, subject: SubjectRef | None = None) -> Iterator[Fault]:
    """Find evidence and references that the ledger records and the database no longer has."""
    entries = _about(LedgerEntry.objects.filter(kind__in=_KINDS).order_by("index"), subject)
    rows = tally.counted("evidence_entries", entries.iterator(chunk_size=_CHUNK), total=entries.count())
    for chunk in _chunks(rows):
        recorded = [(entry, _evidence_id(entry)) for entry in chunk]
        ids = {evidence_id for _, evidence_id in recorded if evidence_id}
        present = {
            _ISSUED: set(EvidenceRecord.objects.filter(id__in=ids).values_list("id", flat=True)),
            _ANCHORED: set(WormReference.objects.filter(evidence__in=ids).values_list("evidence_id", flat=True)),
        }
        for entry, evidence_id in recorded:
            if evidence_id and evidence_id not in present[entry.kind]:
                name = f"evidence {evidence_id} of {entry.subject_type}:{entry.subject_id}"
                yield fault(
                    name, _MISSING[entry.kind], f"Ledger entry #{entry.index} records it, but the row is missing."
                )


_MISSING = {_ISSUED: "evidence_missing", _ANCHORED: "reference_missing"}


def _record_faults(record: EvidenceRecord, key_ring: KeyRing, said: _Said) -> Iterator[Fault]:
    name = _name(record)
    try:
        open_evidence(key_ring=key_ring, record=record)
    except EvidenceAltered as error:
        yield fault(name, error.error_code, error.message)
    yield from _ledger_faults(
        name, "evidence_ledger", said.get((_ISSUED, str(record.id))), EvidenceIssued.of(record).to_data()
    )


def _reference_faults(reference: WormReference, said: _Said) -> Iterator[Fault]:
    entry = said.get((_ANCHORED, str(reference.evidence_id)))
    data = EvidenceAnchored.of(reference).to_data()
    if entry and str(entry.get("retain_until")) <= str(data["retain_until"]):  # it may have been extended since
        data["retain_until"] = entry.get("retain_until")
    yield from _ledger_faults(f"WORM reference {reference.uri}", "reference_ledger", entry, data)


def _ledger_faults(name: str, check: str, entry: Mapping[str, Json] | None, row: Mapping[str, Json]) -> Iterator[Fault]:
    if entry is None:
        yield fault(name, check, "The ledger has no entry for it.")
        return
    differing = [column for column, value in row.items() if entry.get(column) != value]
    if differing:
        yield fault(name, check, f"The ledger differs in: {', '.join(differing)}.")


def _ledger_says(records: Sequence[EvidenceRecord]) -> _Said:
    about = {
        "kind__in": _KINDS,
        "subject_type__in": {record.subject_type for record in records},
        "subject_id__in": {record.subject_id for record in records},
    }
    # Read the outbox first: an entry that is ordered in between is then seen twice, never missed.
    bodies = [
        *OutboxEntry.objects.filter(**about).values_list("kind", "body"),
        *LedgerEntry.objects.filter(**about).values_list("kind", "body"),
    ]
    said = [(kind, entry_data(bytes(body))) for kind, body in bodies]
    return {(kind, data.get("evidence_id")): data for kind, data in said}


M = TypeVar("M", EvidenceRecord, LedgerEntry)


def _about(rows: QuerySet[M], subject: SubjectRef | None) -> QuerySet[M]:
    return rows if subject is None else rows.filter(subject_type=subject.type, subject_id=subject.id)


def _chunks(items: Iterator[T]) -> Iterator[list[T]]:
    while chunk := list(islice(items, _CHUNK)):
        yield chunk


def _evidence_id(entry: LedgerEntry) -> UUID | None:
    """Return the id that the entry names, or None for malformed bytes, which the ledger's own check reports."""
    try:
        return UUID(str(entry_data(bytes(entry.body)).get("evidence_id")))
    except ValueError:
        return None


def _name(record: EvidenceRecord) -> str:
    return f"evidence {record.id} of {record.subject_type}:{record.subject_id}"
