"""The state of an object at a moment, rebuilt from the ledger alone.

The state is that of the last entry about the object, in the order of the log, among those up to the moment; waiting
entries come after ordered ones. Entries from before version 0.2 hold no state.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from django.db.models import BinaryField, F, Func, IntegerField, Model, QuerySet, Value

from governance.audit.errors import EntryAltered, MomentInvalid, ObjectTypeUnknown, ObjectUnknown
from governance.audit.models import LedgerEntry, OutboxEntry
from governance.audit.recording.entries import differing_columns, entry_data
from governance.audit.recording.states import RecordedObject, State, recorded_objects, state_kinds
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import Json, canonical_json

#: The suffix of the kinds that record an object's state for the first time, at an upgrade.
ADOPTED = ".adopted"
Recorded = RecordedObject[Model]
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(rf"{_DATE.pattern}[Tt ]\d{{2}}:\d{{2}}:\d{{2}}(\.\d{{1,6}})?([Zz]|[+-]\d{{2}}:\d{{2}})", re.ASCII)


class Presence(StrEnum):
    """Whether an object existed at a moment."""

    THERE = "there"
    DELETED = "deleted"
    NOT_YET = "not_yet"
    NOT_ON_RECORD = "not_on_record"


#: Of several objects with one slug, prefer the one that existed, else the one that was deleted.
_RANKS = {Presence.THERE: 3, Presence.DELETED: 2, Presence.NOT_ON_RECORD: 1, Presence.NOT_YET: 0}


@dataclass(frozen=True, slots=True)
class StateChange:
    """One entry with an object's state before and after a change; `index` is None while it is not ordered."""

    index: int | None
    entry_id: str
    kind: str
    actor: Actor
    at: datetime
    before: State | None
    after: State | None
    body: bytes


@dataclass(frozen=True, slots=True)
class AsOf:
    """The state of an object at a moment, and the entry that holds it.

    `state` is None unless it existed, `entry` is None if nothing about it had been recorded by then. `name` is its name
    at that moment, or its last name before it was deleted, or its first name.
    """

    subject: SubjectRef
    noun: str
    name: str
    at: datetime
    presence: Presence
    state: State | None
    entry: StateChange | None


def read_moment(text: str) -> datetime:
    """Return the moment of a date or RFC 3339 time; a date means the end of that day in UTC, or now if earlier.

    Raises MomentInvalid, also for a time without an offset.
    """
    whole = f"{text}T23:59:59.999999Z" if _DATE.fullmatch(text) else text
    try:
        moment = datetime.fromisoformat(whole.upper()).astimezone(UTC) if _TIME.fullmatch(whole) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise MomentInvalid(
            f"{text!r} is neither a date, such as 2026-03-01, nor a time, such as 2026-03-01T12:00:00Z."
        )
    return min(moment, clock.now())


def recorded_type(name: str) -> Recorded:
    """Return the declaration of a type of object whose state is on record. Raises ObjectTypeUnknown."""
    found = recorded_objects().get(name)
    if found is None:
        known = sorted(recorded_objects())
        raise ObjectTypeUnknown(f"There is no type '{name}'. Known: {', '.join(known)}.", details={"types": [*known]})
    return found


def find_as_of(*, type_name: str, name: str, at: datetime) -> AsOf:
    """Return the state at a moment of the object with the slug or id `name`.

    A slug that several objects had in succession means the one that had it then. Raises ObjectTypeUnknown,
    EntryAltered, and ObjectUnknown when no entry holds a state of it.
    """
    found = [as_of(subject=subject, at=at) for subject in subjects_called(type_name=type_name, name=name)]
    return max(reversed(found), key=lambda each: (_RANKS[each.presence], each.name == name))


def as_of(*, subject: SubjectRef, at: datetime) -> AsOf:
    """Return the state of an object at a moment. Raises ObjectTypeUnknown, ObjectUnknown and EntryAltered."""
    described = recorded_type(subject.type)
    changes = history(subject)
    if not changes:
        raise ObjectUnknown(f"The ledger has no {described.noun} '{subject.id}'.")
    entry = next((change for change in reversed(changes) if change.at <= at), None)
    presence = _presence(entry, changes[0])
    state = entry.after if entry else None
    said = state or (entry.before if entry else None) or changes[0].after or {}
    name = described.name_in(said) or subject.id
    return AsOf(subject, described.noun, name, at, presence, state, entry)


def _presence(entry: StateChange | None, first: StateChange) -> Presence:
    if entry is not None:
        return Presence.DELETED if entry.after is None else Presence.THERE
    adopted = first.kind.endswith(ADOPTED) or first.before is not None
    return Presence.NOT_ON_RECORD if adopted else Presence.NOT_YET


def history(subject: SubjectRef) -> list[StateChange]:
    """Return every change of an object's state in the order of the log, waiting entries last.

    Raises EntryAltered when somebody changed an entry's columns: its bytes alone are proven.
    """
    about = {"subject_type": subject.type, "subject_id": subject.id, "kind__in": state_kinds(subject.type)}
    # Read the outbox first: an entry that is ordered in between is then seen twice, never missed.
    waiting = list(OutboxEntry.objects.filter(**about).order_by("id"))
    placed = list(LedgerEntry.objects.filter(**about).order_by("index"))
    known = {entry.entry_id for entry in placed}
    return list(_changes([*placed, *(entry for entry in waiting if entry.entry_id not in known)]))


def subjects_called(*, type_name: str, name: str) -> list[SubjectRef]:
    """Return the objects of a type with the id `name`, or else all that had it as their slug, oldest first.

    Raises ObjectTypeUnknown, and ObjectUnknown when no entry holds a state of one.
    """
    described = recorded_type(type_name)
    found = _called(described, name) if name.isprintable() else []
    if not found:
        raise ObjectUnknown(f"The ledger has no {described.noun} '{name}'.")
    return [SubjectRef(described.subject, key) for key in found]


def _called(described: Recorded, name: str) -> list[str]:
    about = {"subject_type": described.subject, "kind__in": state_kinds(described.subject)}
    tables: tuple[QuerySet[LedgerEntry] | QuerySet[OutboxEntry], ...] = (
        LedgerEntry.objects.filter(**about).order_by("index"),
        OutboxEntry.objects.filter(**about).order_by("id"),
    )
    if any(each.filter(subject_id=name).exists() for each in tables):
        return [name]
    # Searches the bytes of the entries of these kinds only: they are few, and need no further index.
    member, value = described.named_by.rpartition("/")[2], name.rpartition("/")[2]
    needle = b'"' + member.encode() + b'":' + canonical_json(value)
    found = [entry for each in tables for entry in each.annotate(place=_position(needle)).filter(place__gt=0)]
    called = [each.subject_id for each in found if name in _names(described, entry_data(bytes(each.body)))]
    return [*dict.fromkeys(called)]


def _names(described: Recorded, data: Mapping[str, Json]) -> Iterator[str | None]:
    for state in (data.get("before"), data.get("after")):
        if isinstance(state, dict):
            yield described.name_in(state)


def _position(needle: bytes) -> Func:
    searched = Value(needle, output_field=BinaryField())
    return Func(searched, F("body"), function="position", arg_joiner=" IN ", output_field=IntegerField())


def _changes(entries: list[LedgerEntry | OutboxEntry]) -> Iterator[StateChange]:
    for entry in entries:
        body = bytes(entry.body)
        data = entry_data(body)
        if differing := differing_columns(entry, body):
            raise EntryAltered(f"Columns of the entry {entry.entry_id} were altered: {', '.join(differing)}.")
        if "after" in data:
            yield StateChange(
                index=entry.index if isinstance(entry, LedgerEntry) else None,
                entry_id=str(entry.entry_id),
                kind=entry.kind,
                actor=Actor(entry.actor_type, entry.actor_id),
                at=entry.occurred_at,
                before=_state(data.get("before")),
                after=_state(data.get("after")),
                body=body,
            )


def _state(value: Json) -> State | None:
    return value if isinstance(value, dict) else None
