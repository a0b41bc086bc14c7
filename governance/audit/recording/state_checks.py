"""Comparison of objects whose whole state is on record with their newest entries, in both directions."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from django.db import connection
from django.db.models import Model, QuerySet

from governance.audit.models import LedgerEntry, OutboxEntry
from governance.audit.recording.entries import entry_data
from governance.audit.recording.reconciling import REMEDIES
from governance.audit.recording.states import RecordedObject, State, differences, recorded_objects, state_kinds
from governance.audit.tally import Tally, chunks
from governance.audit.types import Fault

Recorded = RecordedObject[Model]
CHUNK = 1000

#: The newest ordered entry of each subject. The index `ledger_by_subject` has this order.
_PLACED = """
    SELECT asked.key, 'Ledger entry #' || e.index, e.body FROM unnest(%s::text[]) AS asked(key)
    CROSS JOIN LATERAL (
        SELECT index, body FROM audit_ledgerentry
        WHERE subject_type = %s AND subject_id = asked.key AND kind = ANY(%s) ORDER BY index DESC LIMIT 1
    ) AS e
"""
_WAITING = """
    SELECT DISTINCT ON (subject_id) subject_id, 'Waiting entry ' || entry_id, body FROM audit_outboxentry
    WHERE subject_id = ANY(%s) AND subject_type = %s AND kind = ANY(%s) ORDER BY subject_id, id DESC
"""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest entry with a subject's state: its name in faults, whether it holds a state, and the state."""

    name: str
    holds_state: bool
    state: State | None


def state_faults(tally: Tally) -> Iterator[Fault]:
    """Compare every recorded object with its newest entry, and find entries whose object is missing.

    Rows are streamed, with a constant number of queries per thousand. Entries from before states were recorded hold
    none and are ignored.
    """
    objects = recorded_objects()
    rows = ((each, row) for each in objects.values() for row in each.rows().iterator(chunk_size=CHUNK))
    total = sum(each.rows().count() for each in objects.values())
    on_record = dict.fromkeys(objects, 0)
    for subject, found in groupby(tally.counted("states", rows, total=total), key=lambda pair: pair[0].subject):
        for chunk in chunks((row for _, row in found), CHUNK):
            newest = newest_states(subject, [objects[subject].key(row) for row in chunk])
            on_record[subject] += len(newest)
            yield from _row_faults(objects[subject], chunk, newest)
    for subject, described in objects.items():
        # Usually nothing was deleted: then the numbers agree, and no lookup is needed.
        if _subjects(subject).count() != on_record[subject]:
            yield from _removed_faults(described)


def newest_states(subject: str, keys: list[str]) -> dict[str, Newest]:
    """Return the newest entry that holds the state of each of these subjects of one type, if there is one."""
    found: dict[str, Newest] = {}
    with connection.cursor() as cursor:
        for question in (_PLACED, _WAITING):
            cursor.execute(question, [keys, subject, list(state_kinds(subject))])
            found |= {key: _newest(name, bytes(body)) for key, name, body in cursor.fetchall()}
    return found


def _newest(name: str, body: bytes) -> Newest:
    data = entry_data(body)
    after = data.get("after")
    return Newest(name, holds_state="after" in data, state=after if isinstance(after, dict) else None)


def _row_faults(described: Recorded, rows: list[Model], newest: dict[str, Newest]) -> Iterator[Fault]:
    for row in rows:
        name, entry = f"{described.noun} {described.slug(row)}", newest.get(described.key(row))
        if entry is None or not entry.holds_state:
            yield _fault(described, "unrecorded", name, "The log has no entry with its state.")
        elif entry.state is None:
            yield _fault(described, "differs", name, f"{entry.name} says that it was deleted.")
        elif differing := differences(entry.state, described.state(row)):
            fields = ", ".join(change.name for change in differing)
            yield _fault(described, "differs", name, f"{entry.name} differs in: {fields}.")


def _removed_faults(described: Recorded) -> Iterator[Fault]:
    known = {described.key(row) for row in described.rows().iterator(chunk_size=CHUNK)}
    gone = (key for key in _subjects(described.subject).iterator(chunk_size=CHUNK) if key not in known)
    for chunk in chunks(gone, CHUNK):
        for key, entry in newest_states(described.subject, chunk).items():
            if entry.state is not None:
                name = f"{described.noun} {described.name_in(entry.state) or key}"
                yield _fault(described, "removed", name, f"{entry.name} records it, but the row is missing.")


def _subjects(subject: str) -> "QuerySet[LedgerEntry, str]":
    """Return the id of every subject of a type with a recorded state."""
    about = {"subject_type": subject, "kind__in": state_kinds(subject)}
    placed = LedgerEntry.objects.filter(**about).order_by().values_list("subject_id", flat=True)
    return placed.union(OutboxEntry.objects.filter(**about).values_list("subject_id", flat=True))


def _fault(described: Recorded, end: str, name: str, message: str) -> Fault:
    return Fault(name, f"{described.subject}_{end}", message, REMEDIES[end])
