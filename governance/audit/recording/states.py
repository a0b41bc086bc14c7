"""Objects whose whole state is on record: each change records an entry with the state before and after it.

So the ledger alone shows the state of a tier, licence or partner at any moment: the newest entry up to then holds it
(`asof`). Reconciliation compares the newest entry of all with the row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Generic, TypeVar

from django.db.models import Model, QuerySet

from governance.audit.errors import EntryInvalid
from governance.audit.recording.declarations import Entry, Since, declarations
from governance.audit.types import FieldChange, SubjectRef
from governance.kernel.canonical import Json

RowT = TypeVar("RowT", bound=Model)
State = dict[str, Json]


@dataclass(frozen=True, kw_only=True)
class StateEntry(Entry):
    """An entry that holds the whole state of its subject before and after a change.

    `before` is None for a new object, `after` for a deleted one. Both are what the object's `state` returns.
    """

    before: Annotated[
        State | None, Since("0.2"), "The state before the change; null for what is new or was not on record."
    ]
    after: Annotated[State | None, Since("0.2"), "The state from now on; null for what was deleted."]

    def to_own_data(self) -> dict[str, Json]:
        """Return the fields that the kind adds to the two states, as plain JSON. Raises NotCanonical."""
        return {name: value for name, value in self.to_data().items() if name not in ("before", "after")}


@dataclass(frozen=True, slots=True)
class RecordedObject(Generic[RowT]):
    """A kind of object whose state is on record.

    `subject` is its type in entries, `rows` returns its rows, `key` and `slug` return a row's id in entries and its
    readable name, and `state` returns everything that is recorded of it, with personal data as commitments or left out.
    `named_by` is the member of the state that holds the name, or several, joined by "/".
    """

    subject: str
    noun: str
    rows: Callable[[], "QuerySet[RowT]"]
    key: Callable[[RowT], str]
    slug: Callable[[RowT], str]
    state: Callable[[RowT], State]
    named_by: str = "slug"

    def name_in(self, state: State) -> str | None:
        """Return the name that people had for the object when it had this state; None if the state does not say."""
        members = self.named_by.split("/")
        return "/".join(str(state[member]) for member in members) if all(each in state for each in members) else None

    def ref(self, row: RowT) -> SubjectRef:
        """Return the name of `row` in entries."""
        return SubjectRef(self.subject, self.key(row))

    def present_state(self, row: RowT) -> State:
        """Return the state of `row` as the database has it now, ignoring relations that were read with the row."""
        return self.state(self.rows().get(pk=row.pk))


_recorded: dict[str, RecordedObject[Model]] = {}


def recorded_object(described: RecordedObject[RowT]) -> RecordedObject[RowT]:
    """Declare an object whose state is on record, and return it. Raises EntryInvalid for one declared before."""
    if described.subject in _recorded:
        raise EntryInvalid(f"The object '{described.subject}' is declared already.")
    _recorded[described.subject] = described  # type: ignore[assignment]
    return described


def recorded_objects() -> Mapping[str, RecordedObject[Model]]:
    """Return every declared object by the type of its subject. Complete once Django has loaded its apps."""
    return MappingProxyType(_recorded)


def recorded_object_of(row: Model) -> RecordedObject[Model] | None:
    """Return the object that a row is an instance of, or None when its state is not on record."""
    return next((each for each in _recorded.values() if isinstance(row, each.rows().model)), None)


def filled_fields(state: State) -> tuple[str, ...]:
    """Return the names of the fields of a new object that are not empty, in alphabetical order."""
    return tuple(name for name in sorted(state) if state[name] not in (None, "", [], {}))


def changed_fields(before: State | None, after: State | None) -> tuple[str, ...]:
    """Return the names of the fields in which two states differ, in alphabetical order."""
    return tuple(change.name for change in differences(before, after))


def differences(before: State | None, after: State | None) -> tuple[FieldChange, ...]:
    """Return the fields that differ between two states, in alphabetical order; a missing state has no fields."""
    was, now = before or {}, after or {}
    return tuple(
        FieldChange(name, was.get(name), now.get(name))
        for name in sorted({*was, *now})
        if was.get(name) != now.get(name)
    )


def state_kinds(subject: str) -> tuple[str, ...]:
    """Return the kinds of entry that hold the state of a type of subject, in alphabetical order."""
    about = (cls.declaration for cls in declarations().values() if issubclass(cls, StateEntry))
    return tuple(sorted(each.kind for each in about if subject in each.subjects))
