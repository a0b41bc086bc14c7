"""The recorded changes of a row: who made each, when, why, and the old and new values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model

from governance.audit.queries import timeline
from governance.audit.recording.states import State, differences, recorded_object_of
from governance.audit.types import FieldChange, SubjectRef, TimelineItem
from governance.console.subjects import user_names
from governance.kernel.canonical import Json

SHOWN = 50
LONG = 48


@dataclass(frozen=True, slots=True)
class ChangeInWords:
    """One field of a change as people read it."""

    name: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class ChangeOnRecord:
    """One ledger entry about a row. `index` is None while it is not ordered."""

    index: int | None
    kind: str
    at: datetime
    actor_type: str
    actor_id: str
    actor_name: str
    reason: str
    changes: tuple[ChangeInWords, ...]


def changes_on_record(row: Model) -> list[ChangeOnRecord]:
    """Return the newest entries about a row whose state is on record, newest first; none for other rows."""
    described = recorded_object_of(row)
    if described is None:
        return []
    return _newest_first(timeline(described.ref(row)))


def changes_since(subject: SubjectRef, at: datetime) -> list[ChangeOnRecord]:
    """Return the newest entries about a subject that happened after a moment, newest first."""
    return _newest_first([item for item in timeline(subject) if item.at > at])


def _newest_first(items: list[TimelineItem]) -> list[ChangeOnRecord]:
    shown = items[-SHOWN:]
    names = user_names(item.actor.id for item in shown if item.actor.type == "user")
    return [_change(item, names.get(item.actor.id, "")) for item in reversed(shown)]


def _change(item: TimelineItem, name: str) -> ChangeOnRecord:
    reason = item.data.get("reason")
    return ChangeOnRecord(
        index=item.index,
        kind=item.kind,
        at=item.at,
        actor_type=item.actor.type,
        actor_id=item.actor.id,
        actor_name=name if item.actor.type == "user" else "",
        reason=reason if isinstance(reason, str) else "",
        changes=in_words(differences(_state(item.data.get("before")), _state(item.data.get("after")))),
    )


def _state(value: Json) -> State | None:
    return value if isinstance(value, dict) else None


def in_words(changes: Iterable[FieldChange]) -> tuple[ChangeInWords, ...]:
    """Return changes of a state as people read them."""
    return tuple(ChangeInWords(label(each.name), words(each.was), words(each.now)) for each in changes)


def label(name: str) -> str:
    """Return the name of a member of a state as people read it."""
    return name.replace("_", " ").capitalize()


def words(value: Json) -> str:
    """Return a recorded value as people read it; digests and other long words are shortened."""
    if isinstance(value, list):
        return ", ".join(words(each) for each in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {words(each)}" for key, each in value.items()) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value) if value not in (None, "") else "–"
    return text if " " in text or len(text) <= LONG else f"{text[: LONG // 2]}…"
