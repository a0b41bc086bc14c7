"""A ledger entry for display: each field with its declared meaning, and what a change changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from governance.audit.recording.declarations import Declaration, declarations
from governance.audit.recording.reconciling import Coverage, coverage_of
from governance.audit.recording.states import State, differences
from governance.console.changes_on_record import ChangeInWords, in_words, words
from governance.kernel.canonical import Json

UNDECLARED = "This version of Assent does not know this field."
#: What `record_with_receipt` adds to an entry that comes with a receipt.
RECEIPT_FIELDS = {
    "envelope_sha256": "SHA-256 of the receipt that was signed with the entry.",
    "predicate_type": "Predicate type of the receipt.",
    "key_id": "Id of the key that signed the receipt.",
}
STATES = ("before", "after")


@dataclass(frozen=True, slots=True)
class FieldInWords:
    """One field of an entry as people read it."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class EntryInWords:
    """The content of an entry. `declared` is None for a kind that this version does not know.

    `changes` is what differs between the states before and after, `new` and `gone` mean that one of them is missing,
    and `has_states` that the entry holds states at all.
    """

    declared: Declaration | None
    fields: tuple[FieldInWords, ...]
    coverage: tuple[Coverage, ...]
    has_states: bool
    new: bool
    gone: bool
    changes: tuple[ChangeInWords, ...]


def entry_in_words(kind: str, data: Mapping[str, Json]) -> EntryInWords:
    """Return the content of an entry from its `data`. Never raises: entries of other versions can have other fields."""
    known = declarations().get(kind)
    declared = known.declaration if known else None
    before, after = _state(data.get("before")), _state(data.get("after"))
    return EntryInWords(
        declared=declared,
        fields=tuple(_fields(declared, data)),
        coverage=coverage_of(kind) if declared else (),
        has_states=before is not None or after is not None,
        new=before is None,
        gone=after is None,
        changes=in_words(differences(before, after)),
    )


def _fields(declared: Declaration | None, data: Mapping[str, Json]) -> list[FieldInWords]:
    """Return the fields in the order of their declaration, then undeclared ones, without states."""
    meanings = {each.name: each.meaning for each in declared.fields} if declared else {}
    if declared and declared.receipt:
        meanings |= RECEIPT_FIELDS
    names = [name for name in meanings if name in data] + sorted(name for name in data if name not in meanings)
    return [
        FieldInWords(name, words(data[name]), meanings.get(name, UNDECLARED))
        for name in names
        if name not in STATES or not isinstance(data[name], dict | None)
    ]


def _state(value: Json) -> State | None:
    return value if isinstance(value, dict) else None
