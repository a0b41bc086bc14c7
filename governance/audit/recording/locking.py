"""Optimistic locking: a change prepared from an outdated state never undoes the changes of others.

The caller keeps the state that a change starts from (`described.state(row)`) and passes it to the service as `seen`.
The service locks the row and continues only if the row still has that state.
"""

from datetime import datetime

from governance.audit.errors import ChangedMeanwhile
from governance.audit.queries import timeline
from governance.audit.recording.states import RecordedObject, RowT, State, differences
from governance.audit.types import Actor, Meanwhile, SubjectRef
from governance.kernel.canonical import canonical_json


def lock_unchanged(described: RecordedObject[RowT], row: RowT, *, seen: State | None) -> tuple[RowT, State]:
    """Lock a row for a change and return its fresh copy with its state before the change.

    `seen` is the state that the change was prepared from; None takes the row as it is. Raises ChangedMeanwhile when
    the row was deleted, or differs from `seen`. Call it in a transaction.
    """
    locked = described.rows().select_for_update(of=("self",), no_key=True).filter(pk=row.pk).first()
    if locked is None:
        raise ChangedMeanwhile(described.noun, _meanwhile(described.ref(row), seen or {}, None))
    return locked, require_unchanged(described, locked, seen=seen)


def require_unchanged(described: RecordedObject[RowT], locked: RowT, *, seen: State | None) -> State:
    """Return the current state of a locked row. Raises ChangedMeanwhile if it differs from `seen`, unless that is None.

    For services with their own lock order; others use `lock_unchanged`.
    """
    now = described.state(locked)
    require_same(described, locked, seen=seen, now=now)
    return now


def require_same(described: RecordedObject[RowT], locked: RowT, *, seen: State | None, now: State) -> None:
    """Raise ChangedMeanwhile unless what was seen of a locked row is what is shown of it now, or None.

    For forms that show more than the ledger says, such as personal data.
    """
    if seen is not None and canonical_json(seen) != canonical_json(now):
        raise ChangedMeanwhile(described.noun, _meanwhile(described.ref(locked), seen, now))


def _meanwhile(subject: SubjectRef, seen: State, now: State | None) -> Meanwhile:
    """Return what differs, and who wrote the newest entry about the subject; only read for a conflict."""
    actor, at = _last_change(subject)
    return Meanwhile(changes=differences(seen, now) if now is not None else (), now=now, actor=actor, at=at)


def _last_change(subject: SubjectRef) -> tuple[Actor | None, datetime | None]:
    entries = timeline(subject)
    return (entries[-1].actor, entries[-1].at) if entries else (None, None)
