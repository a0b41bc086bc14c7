"""Kinds of ledger entries, each declared once, in the `entries.py` of the area where it happens.

A kind is a class: its name, the subject it is about, its fields with their meaning, and whether a receipt follows.
Recording takes an instance of it. Receipts, trust file, reconciliation, console, search and docs/ledger.md go through
the declarations; there is no second list of kinds anywhere.

    @entry("client.created", subject="client")
    class ClientCreated(Entry):
        \"\"\"An API client was made for a partner.\"\"\"

        partner: Annotated[str, "Slug of the partner."]
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, ClassVar, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints
from uuid import UUID

from governance.audit.errors import EntryInvalid
from governance.kernel.canonical import Json, to_json_value

FIRST_VERSION = "0.1"
_KIND = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+", re.ASCII)
_KIND_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Since:
    """Marks a field that entries have since a later version of Assent."""

    version: str


class Entry:
    """The data of one kind of entry, besides actor, time and subject. Declare subclasses with `entry`.

    Fields hold values with a JSON form (`kernel.canonical.to_json_value`): ids, slugs, digests, numbers, codes.
    Personal data is never a field; a salted commitment may be. A field whose name is reserved in Python ends in an
    underscore, which the entry omits: `from_` is `from`.
    """

    declaration: ClassVar["Declaration"]
    #: Fields that are left out of the entry while they are None; other fields say `null`.
    left_out_when_none: ClassVar[frozenset[str]] = frozenset()

    def to_data(self) -> dict[str, Json]:
        """Return the fields as plain JSON, as the ledger holds them. Raises NotCanonical."""
        data: dict[str, Json] = {name: to_json_value(getattr(self, name)) for name in self.declaration.names}
        left_out = self.left_out_when_none
        return {_json_name(name): value for name, value in data.items() if value is not None or name not in left_out}


@dataclass(frozen=True, slots=True)
class FieldDeclaration:
    """One field of a kind: its name, its JSON type in words, its meaning, and the version that added it."""

    name: str
    json_type: str
    meaning: str
    since: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """A kind of entry as it was declared.

    `subjects` are the types of subject it may be about. `receipt` is the short name of the predicate of the receipt
    that comes with it, such as "upload/v1", or None. `unmatched` says why no row of the database must match
    entries of this kind; it is empty for kinds that reconciliation compares with rows. `retired` is the version from
    which on no entry of this kind is recorded; ledgers from before hold some.
    """

    kind: str
    subjects: tuple[str, ...]
    receipt: str | None
    since: str
    unmatched: str
    retired: str
    meaning: str
    fields: tuple[FieldDeclaration, ...]
    names: tuple[str, ...]


_declared: dict[str, type[Entry]] = {}
_evidence_predicates: list[str] = []
E = TypeVar("E", bound=Entry)


@dataclass_transform(kw_only_default=True, frozen_default=True)
def entry(
    kind: str,
    *,
    subject: str | tuple[str, ...],
    receipt: str | None = None,
    since: str = FIRST_VERSION,
    unmatched: str = "",
    retired: str = "",
) -> Callable[[type[E]], type[E]]:
    """Declare a class as the kind of entry `kind`, and make it a frozen dataclass with keyword-only fields.

    Every field is `Annotated` with its meaning, and the docstring says when the entry is written. Raises EntryInvalid
    for a malformed kind, one that is declared already, and a field without a meaning.
    """
    if len(kind) > _KIND_LENGTH or not _KIND.fullmatch(kind):
        raise EntryInvalid(f"{kind!r} is not a kind of entry, such as 'job.queued'.")

    def declare(cls: type[E]) -> type[E]:
        if kind in _declared:
            raise EntryInvalid(f"The kind of entry '{kind}' is declared already, by {_declared[kind].__qualname__}.")
        made = dataclass(frozen=True, kw_only=True)(cls)
        made.declaration = Declaration(
            kind=kind,
            subjects=(subject,) if isinstance(subject, str) else subject,
            receipt=receipt,
            since=since,
            unmatched=unmatched,
            retired=retired,
            meaning=" ".join((made.__doc__ or "").split()),
            fields=tuple(_fields_of(made, since)),
            names=tuple(field.name for field in fields(made)),  # type: ignore[arg-type]
        )
        _declared[kind] = made
        return made

    return declare


def declarations() -> Mapping[str, type[Entry]]:
    """Return every declared kind with its class. Complete once Django has loaded its apps."""
    return MappingProxyType(_declared)


def kinds_of(*classes: type[Entry]) -> tuple[str, ...]:
    """Return the kinds that these classes and those derived from them declare, in alphabetical order.

    The base class of a family, such as the state changes of a job, stands for every kind of it.
    """
    return tuple(sorted(kind for kind, cls in _declared.items() if issubclass(cls, classes)))


def kinds_with_receipt() -> tuple[str, ...]:
    """Return the kinds whose entries come with a receipt, in alphabetical order."""
    return tuple(sorted(kind for kind, cls in _declared.items() if cls.declaration.receipt))


def receipt_predicates() -> tuple[str, ...]:
    """Return the short names of the predicates that receipts have, in alphabetical order."""
    return tuple(sorted({cls.declaration.receipt for cls in _declared.values() if cls.declaration.receipt}))


def evidence_predicate(name: str) -> str:
    """Declare the short name of a predicate that evidence may have, such as "job-outcome/v1", and return it."""
    _evidence_predicates.append(name)
    return name


def evidence_predicates() -> tuple[str, ...]:
    """Return the short names of the predicates that evidence has, in alphabetical order."""
    return tuple(sorted(_evidence_predicates))


def _fields_of(cls: type[Entry], since: str) -> Iterator[FieldDeclaration]:
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(cls):  # type: ignore[arg-type]
        hint = hints[field.name]
        notes = hint.__metadata__ if get_origin(hint) is Annotated else ()
        meaning = next((note for note in notes if isinstance(note, str)), "")
        if not meaning:
            raise EntryInvalid(f"The field '{field.name}' of {cls.__qualname__} has no meaning.")
        added = next((note.version for note in notes if isinstance(note, Since)), since)
        yield FieldDeclaration(name=_json_name(field.name), json_type=_json_type(hint), meaning=meaning, since=added)


def _json_name(name: str) -> str:
    return name.removesuffix("_")


_JSON_TYPES: Mapping[object, str] = {str: "string", int: "integer", bool: "boolean", NoneType: "null", UUID: "UUID"}


def _json_type(hint: object) -> str:
    """Return a type hint in JSON terms, such as "array of string or null"."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _json_type(inner[0])
    if origin in (Union, UnionType):
        return " or ".join(_json_type(each) for each in inner)
    if origin in (list, tuple, set, frozenset):
        return f"array of {_json_type(inner[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "object"
    return _JSON_TYPES.get(hint) or _named_type(hint)


def _named_type(hint: object) -> str:
    if isinstance(hint, type):
        bases = (("datetime", "RFC 3339 time"), ("StrEnum", "string"), ("str", "string"), ("int", "integer"))
        names = {base.__name__ for base in hint.__mro__}
        return next((word for base, word in bases if base in names), "object")
    return "any JSON value"
