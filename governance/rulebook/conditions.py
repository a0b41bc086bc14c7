"""Reads and writes the JSON form of conditions. Whether they fit the attribute schema is checked in `validation`."""

from collections.abc import Mapping
from math import isfinite

from governance.kernel.canonical import Json
from governance.kernel.texts import did_you_mean
from governance.rulebook.errors import FieldError, RuleInvalid
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator, Scalar, Value

MAX_DEPTH = 6
MAX_NODES = 100
MAX_VALUES = 200
MAX_TEXT = 200
MAX_NUMBER = 2**53 - 1

_COMPARE_KEYS = {"attr", "op", "value", "other"}


def parse_condition(data: object, *, path: str = "condition") -> Condition:
    """Return the condition that plain JSON data describes.

    Raises RuleInvalid naming the place, such as `condition.all[1].value`, when the shape is wrong, a key is unknown,
    something is repeated, or it is deeper than 6 levels or larger than 100 parts.
    """
    return _Reader().condition(data, path, 1)


def condition_json(condition: Condition) -> dict[str, Json]:
    """Return the plain JSON form of a condition; `parse_condition` gives the same condition back."""
    match condition:
        case All(items):
            return {"all": [condition_json(item) for item in items]}
        case Any_(items):
            return {"any": [condition_json(item) for item in items]}
        case Not(item):
            return {"not": condition_json(item)}
        case Compare(attr, op, value, other):
            form: dict[str, Json] = {"attr": attr, "op": op.value}
            if other is not None:
                form["other"] = other
            elif value is not None:
                form["value"] = list(value) if isinstance(value, tuple) else value
            return form


class _Reader:
    """Counts the parts of one condition while reading it."""

    def __init__(self) -> None:
        self._nodes = 0

    def condition(self, data: object, path: str, depth: int) -> Condition:
        """Return the condition at `path`, `depth` levels deep. Raises RuleInvalid."""
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise _invalid(path, f"Conditions may nest at most {MAX_DEPTH} levels deep.")
        if self._nodes > MAX_NODES:
            raise _invalid(path, f"A condition may have at most {MAX_NODES} parts.")
        if not isinstance(data, Mapping) or not data:
            raise _invalid(path, "A condition is an object with 'all', 'any', 'not' or 'attr'.")
        for word, build in (("all", All), ("any", Any_)):
            if word in data:
                _only(data, {word}, path)
                return build(self._items(data[word], f"{path}.{word}", depth))
        if "not" in data:
            _only(data, {"not"}, path)
            return Not(self.condition(data["not"], f"{path}.not", depth + 1))
        return _compare(data, path)

    def _items(self, data: object, path: str, depth: int) -> tuple[Condition, ...]:
        if not isinstance(data, list | tuple) or not data:
            raise _invalid(path, "At least one condition is needed here.")
        items: list[Condition] = []
        for index, entry in enumerate(data):
            item = self.condition(entry, f"{path}[{index}]", depth + 1)
            if item in items:
                raise _invalid(f"{path}[{index}]", "The same condition is already there.")
            items.append(item)
        return tuple(items)


def _compare(data: Mapping[str, object], path: str) -> Compare:
    _only(data, _COMPARE_KEYS, path)
    attr, op = _word(data, "attr", path), _operator(data, path)
    if op is Operator.EXISTS:
        _only(data, {"attr", "op"}, path)
        return Compare(attr, op)
    if ("value" in data) == ("other" in data):
        raise _invalid(f"{path}.value", "Compare with either a value or another attribute.")
    if "other" in data:
        return Compare(attr, op, other=_word(data, "other", path))
    return Compare(attr, op, value=_value(data["value"], f"{path}.value"))


def _operator(data: Mapping[str, object], path: str) -> Operator:
    word = _word(data, "op", path)
    try:
        return Operator(word)
    except ValueError as error:
        hint = did_you_mean(word, Operator)
        raise _invalid(f"{path}.op", f"'{word}' is not a known operator.{hint}") from error


def _word(data: Mapping[str, object], key: str, path: str) -> str:
    word = data.get(key)
    if not isinstance(word, str) or not word or len(word) > MAX_TEXT or not word.isprintable():
        raise _invalid(f"{path}.{key}", "A name is needed here.")
    return word


def _value(data: object, path: str) -> Value:
    if not isinstance(data, list | tuple):
        return _scalar(data, path)
    if not 1 <= len(data) <= MAX_VALUES:
        raise _invalid(path, f"A list of 1 to {MAX_VALUES} values is needed here.")
    values: list[Scalar] = []
    for index, entry in enumerate(data):
        value = _scalar(entry, f"{path}[{index}]")
        if any(value == other and type(value) is type(other) for other in values):
            raise _invalid(f"{path}[{index}]", "The same value is already in the list.")
        values.append(value)
    return tuple(values)


def _scalar(data: object, path: str) -> Scalar:
    match data:
        case bool():
            return data
        case str():
            if not data or len(data) > MAX_TEXT or not data.isprintable():
                raise _invalid(path, f"A text has 1 to {MAX_TEXT} printable characters.")
            return data
        case int() | float():
            if not isfinite(data) or abs(data) > MAX_NUMBER:
                raise _invalid(path, "The number is too large.")
            return int(data) if data == int(data) else data
        case None:
            raise _invalid(path, "A value is needed here; to ask whether there is one, use 'exists'.")
        case _:
            raise _invalid(path, "A value is a text, a number, true or false, or a list of them.")


def _only(data: Mapping[str, object], known: set[str], path: str) -> None:
    for key in data:
        if key not in known:
            raise _invalid(path, f"'{key}' does not belong here.{did_you_mean(str(key), known)}")


def _invalid(path: str, sentence: str) -> RuleInvalid:
    return RuleInvalid([FieldError(path, sentence)])
