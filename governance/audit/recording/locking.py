"""Optimistic locking: a change that was prepared from an old state never undoes what others changed meanwhile.

Who prepares a change keeps the state that it starts from (`described.state(row)`) and hands it to the service as
`seen`. The service locks the row, and goes on only if the row still says the same.
"""

from datetime import datetime

from governance.audit.errors import ChangedMeanwhile
from governance.audit.queries import timeline
from governance.audit.recording.states import RecordedObject, RowT, State, differences
from governance.audit.types import Actor, Meanwhile, SubjectRef
from governance.kernel.canonical import canonical_json


def lock_unchanged(described: RecordedObject[RowT], row: RowT, *, seen: State | None) -> tuple[RowT, State]:
    """Lock a row for a change and return it, read afresh, with the state that it has before the change.

    `seen` is the state that the change was prepared from; None takes the row as it is. Raises ChangedMeanwhile when
    the row was deleted, or says something else than `seen`. Call it in a transaction.
    """
    locked = described.rows().select_for_update(of=("self",), no_key=True).filter(pk=row.pk).first()
    if locked is None:
        raise ChangedMeanwhile(described.noun, _meanwhile(described.ref(row), seen or {}, None))
    return locked, require_unchanged(described, locked, seen=seen)


def require_unchanged(described: RecordedObject[RowT], locked: RowT, *, seen: State | None) -> State:
    """Return the present state of a row that is locked already. Raises ChangedMeanwhile unless it is `seen`, or None.

    For services that lock in an order of their own; others use `lock_unchanged`.
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
    """Return what differs, and who wrote the newest entry about the subject; it is read only when there is a clash."""
    actor, at = _last_change(subject)
    return Meanwhile(changes=differences(seen, now) if now is not None else (), now=now, actor=actor, at=at)


def _last_change(subject: SubjectRef) -> tuple[Actor | None, datetime | None]:
    entries = timeline(subject)
    return (entries[-1].actor, entries[-1].at) if entries else (None, None)
