"""Attributes: what rules may test, its types, and when the facts of a request are complete.

An attribute is a declaration in the schema; a fact is the value that it has for one request."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import isfinite

from governance.kernel.canonical import NotCanonical, digest, timestamp
from governance.kernel.texts import did_you_mean
from governance.kernel.vocabulary import Action
from governance.rulebook.types import Operator

_MAX_INTEGER = 2**53 - 1


class AttributeType(StrEnum):
    """The type of an attribute."""

    STRING = "string"
    ENUM = "enum"
    BOOL = "bool"
    INT = "int"
    NUMBER = "number"
    STRING_LIST = "string_list"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that rules may test. `values` is the vocabulary of an enum, empty for every other type.

    `orm` says where the database has it: the row that knows it, then a field or annotation of its query.
    """

    path: str
    type: AttributeType
    group: str
    label: str
    help: str
    actions: frozenset[str]
    operators: tuple[Operator, ...]
    values: tuple[str, ...] = ()
    nullable: bool = False
    when_true: str = ""
    when_false: str = ""
    orm: str = ""
    segments: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(self.path.split(".")))


class AttributeSchema:
    """All attributes, by path, in the order of the file."""

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        self.attributes: Mapping[str, Attribute] = {attribute.path: attribute for attribute in attributes}
        self.actions = tuple(action.value for action in Action)
        self.digest = digest(list(attributes))
        self._by_action = {
            action: tuple(attribute for attribute in attributes if action in attribute.actions)
            for action in self.actions
        }

    def get(self, path: str) -> Attribute | None:
        """Return the attribute at `path`, or None."""
        return self.attributes.get(path)

    def attributes_for(self, action: str) -> tuple[Attribute, ...]:
        """Return the attributes that are present when `action` is decided; none for an unknown action."""
        return self._by_action.get(action, ())

    def suggestion(self, path: str) -> str:
        """Return ' Did you mean …?' for a misspelt path, or nothing when no attribute comes near."""
        return did_you_mean(path, self.attributes)

    def missing_facts(self, action: str, facts: Mapping[str, object]) -> list[str]:
        """Return a sentence for every fact of `action` that is absent or not of its type; [] when all is well.

        Values are not quoted: the sentences may be stored and shown.
        """
        if action not in self._by_action:
            return [f"{action} is not a known action"]
        problems = [problem for attribute in self._by_action[action] if (problem := _problem(attribute, facts))]
        if not problems and facts["action"] != action:
            problems.append("action is not the action that is decided")
        return problems


def expand_actions(patterns: Iterable[str]) -> frozenset[str]:
    """Return the actions that patterns ('*', 'asset.*' or an action) stand for. Raises ValueError with a sentence."""
    known = tuple(action.value for action in Action)
    expanded: set[str] = set()
    for pattern in patterns:
        prefix = pattern.removesuffix("*")
        matching = {
            action for action in known if action == pattern or (prefix != pattern and action.startswith(prefix))
        }
        if not matching:
            raise ValueError(f"'{pattern}' is not a known action.{did_you_mean(pattern, known)}")
        expanded |= matching
    return frozenset(expanded)


def time_text(moment: datetime) -> str:
    """Return an aware datetime as facts of the type time are written: RFC 3339, UTC, microseconds.

    The width is fixed, so the order of the texts is the order of the times on every engine.
    """
    return timestamp(moment)


def normal_time(text: str) -> str | None:
    """Return an RFC 3339 time in the form of `time_text`; None for anything else, and for a time without an offset."""
    try:
        return time_text(datetime.fromisoformat(text))
    except (ValueError, OverflowError, NotCanonical):
        return None


def _problem(attribute: Attribute, facts: Mapping[str, object]) -> str | None:
    value: object = facts
    for segment in attribute.segments:
        if not isinstance(value, dict) or segment not in value:
            return f"{attribute.path} is missing"
        value = value[segment]
    if value is None:
        return None if attribute.nullable else f"{attribute.path} is null"
    if not _FITS[attribute.type](value):
        return f"{attribute.path} is not {_NOUNS[attribute.type]}"
    if attribute.type is AttributeType.ENUM and value not in attribute.values:
        return f"{attribute.path} is not one of its known values"
    return None


def _is_text(value: object) -> bool:
    # PostgreSQL's text has no NUL, and UTF-8 has no lone surrogate.
    return isinstance(value, str) and "\0" not in value and (value.isascii() or _is_unicode(value))


def _is_unicode(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_INTEGER


def _is_number(value: object) -> bool:
    return _is_int(value) or (isinstance(value, float) and isfinite(value) and abs(value) <= _MAX_INTEGER)


def _is_text_list(value: object) -> bool:
    return isinstance(value, list | tuple) and all(_is_text(item) for item in value)


def _is_time(value: object) -> bool:
    return isinstance(value, str) and normal_time(value) == value


_FITS: Mapping[AttributeType, Callable[[object], bool]] = {
    AttributeType.STRING: _is_text,
    AttributeType.ENUM: _is_text,
    AttributeType.BOOL: lambda value: isinstance(value, bool),
    AttributeType.INT: _is_int,
    AttributeType.NUMBER: _is_number,
    AttributeType.STRING_LIST: _is_text_list,
    AttributeType.TIME: _is_time,
}

_NOUNS: Mapping[AttributeType, str] = {
    AttributeType.STRING: "text",
    AttributeType.ENUM: "text",
    AttributeType.BOOL: "true or false",
    AttributeType.INT: "a whole number",
    AttributeType.NUMBER: "a number",
    AttributeType.STRING_LIST: "a list of texts",
    AttributeType.TIME: "a time in UTC",
}
