"""Strict reading of JSON, so that no two readers can understand the same bytes differently.

What RFC 8259 leaves open is refused, as I-JSON (RFC 7493) demands: names that occur twice in an object, numbers beyond
what every reader holds exactly, halves of surrogate pairs. So are NaN and Infinity, which Python would take, bytes that
are not UTF-8, and nesting that could only serve to exhaust a reader. This is the only place that decodes JSON; an
architecture test holds that.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from sys import maxsize
from typing import Final, NoReturn

#: What we exchange is a few levels deep.
MAX_DEPTH: Final = 64
#: RFC 7493 section 2.2: the integers that a double holds exactly.
MAX_INTEGER: Final = 2**53 - 1
#: For programs that write large floats without exponent, as Go does below 10^21.
ANY_INTEGER: Final = 10**308
#: Names that are longer are shortened in messages.
_SHOWN: Final = 60
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
_ESCAPED_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
_BLANK: Final = re.compile(r"[ \t\n\r]*")
_STRUCTURE: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


class JsonRefused(ValueError):
    """Text is not JSON that is accepted. `place` is dotted, such as `inputs.0.asset`; empty for the whole text."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{reason}, at {place}" if place else reason)
        self.reason = reason
        self.place = place


def read_json(data: bytes | str, *, depth: int = MAX_DEPTH, max_integer: int = MAX_INTEGER) -> object:
    """Return the value of a JSON text: UTF-8 without a byte order mark, if given as bytes.

    `depth` is how many objects and lists may lie in each other; integers lie between -`max_integer` and `max_integer`.
    Raises JsonRefused.
    """
    text = _text(data)
    try:
        value, end = _decode(text, _BLANK.match(text).end(), depth, max_integer)  # type: ignore[union-attr]
    except json.JSONDecodeError as error:
        raise _not_json(error) from error
    if isinstance(value, JsonRefused):
        raise value
    if _BLANK.fullmatch(text, end) is None:
        raise _not_json(json.JSONDecodeError("More follows after the value", text, end))
    return value


def read_json_object(data: bytes | str, *, depth: int = MAX_DEPTH) -> dict[str, object]:
    """Return the members of a JSON text that is an object. Raises JsonRefused."""
    value = read_json(data, depth=depth)
    if not isinstance(value, dict):
        raise JsonRefused("it is not an object")
    return value


def read_json_items(
    data: bytes | str, *, depth: int = MAX_DEPTH, max_integer: int = MAX_INTEGER, cut: bool = False, most: int = maxsize
) -> list[object | JsonRefused]:
    """Return the items of a JSON text that is a list, each judged alone: one that is refused is its JsonRefused.

    `depth` counts from an item. With `cut` the text is the beginning of such a list of objects, and its items are those
    that are whole. Where one item is refused, `most` are read, and one more JsonRefused stands for all that follow.
    Raises JsonRefused where the text as a whole is not a list in JSON.
    """
    if cut:
        return _whole_items(data, depth, max_integer, most)
    text = _text(data)
    whole = _unspoiled(text, depth + 1, max_integer)
    return _items_alone(text, depth, max_integer, most, []) if whole is None else whole


def _unspoiled(text: str, depth: int, max_integer: int) -> list[object | JsonRefused] | None:
    """Return the items of a list of which nothing is refused, and None for any other text."""
    try:
        whole, end = _strict(max_integer).raw_decode(text, _blank_after(text, 0))
    except (_Found, RecursionError, json.JSONDecodeError):
        return None
    sound = isinstance(whole, list) and _BLANK.fullmatch(text, end) is not None and not _is_too_deep(whole, depth)
    return whole if sound and _ESCAPED_HALF.search(text) is None else None


def _whole_items(data: bytes | str, depth: int, max_integer: int, most: int) -> list[object | JsonRefused]:
    end = data.rfind("}") if isinstance(data, str) else data.rfind(b"}")
    text = _text(data[: end + 1]) if end >= 0 else "["
    items: list[object | JsonRefused] = []
    with suppress(JsonRefused):
        _items_alone(text, depth, max_integer, most, items)
    return items


def _items_alone(
    text: str, depth: int, max_integer: int, most: int, items: list[object | JsonRefused]
) -> list[object | JsonRefused]:
    try:
        at = _after(text, 0, "[")
        if text.startswith("]", at):
            return _ended(text, at, items)
        while True:
            if len(items) >= most:
                return [*items, JsonRefused("more follows than is read")]
            item, end = _decode(text, at, depth, max_integer)
            items.append(item)
            at = _blank_after(text, end)
            if text.startswith("]", at):
                return _ended(text, at, items)
            at = _after(text, at, ",")
    except json.JSONDecodeError as error:
        raise _not_json(error) from error


def _ended(text: str, at: int, items: list[object | JsonRefused]) -> list[object | JsonRefused]:
    if _BLANK.fullmatch(text, at + 1) is None:
        raise json.JSONDecodeError("More follows after the list", text, at + 1)
    return items


def _after(text: str, at: int, mark: str) -> int:
    at = _blank_after(text, at)
    if not text.startswith(mark, at):
        raise json.JSONDecodeError(f"Expecting '{mark}' of a list", text, at)
    return _blank_after(text, at + len(mark))


def _blank_after(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return at if blank is None else blank.end()


def _text(data: bytes | str) -> str:
    if isinstance(data, str):
        half = _HALF_PAIR.search(data)
        if half is not None:
            raise JsonRefused(f"character {half.start() + 1} is half of a surrogate pair")
        return data
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise JsonRefused(f"it is not UTF-8: {error.reason} at byte {error.start}") from error


def _not_json(error: json.JSONDecodeError) -> JsonRefused:
    return JsonRefused(f"it is not JSON: {error.msg} in line {error.lineno}, column {error.colno}")


def _decode(text: str, at: int, depth: int, max_integer: int) -> tuple[object, int]:
    """Return the value that begins at a position, or why it is refused, and where it ends. Raises JSONDecodeError."""
    try:
        value, end = _strict(max_integer).raw_decode(text, at)
        if not _is_too_deep(value, depth) and _ESCAPED_HALF.search(text, at, end) is None:
            return value, end
    except _Found:
        pass
    except RecursionError:
        return _too_deep(depth, ""), _end_of(text, at)
    return _explained(text, at, depth, max_integer)


def _explained(text: str, at: int, depth: int, max_integer: int) -> tuple[object, int]:
    """Read a value for the second time, more slowly, to say what is wrong with it and where."""
    try:
        marked, end = _marking(max_integer).raw_decode(text, at)
    except RecursionError:
        return _too_deep(depth, ""), _end_of(text, at)
    fault = next(_faults(marked, (), depth), None)
    return (fault, end) if fault is not None else _strict(max_integer).raw_decode(text, at)


def _end_of(text: str, at: int) -> int:
    """Return where a value ends that is too deep to be decoded. Raises JSONDecodeError if it does not end."""
    level = 0
    for token in _STRUCTURE.finditer(text, at):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if level == 0:
            return token.end()
    raise json.JSONDecodeError("A list or an object is not closed", text, len(text))


def _is_too_deep(value: object, depth: int) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(depth):
        if not level:
            return False
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _too_deep(depth: int, place: str) -> JsonRefused:
    return JsonRefused(f"it is nested more than {depth} levels deep", place)


class _Found(Exception):
    """Something that is refused was met, as yet without its place."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Stands for a number that is refused."""

    reason: str


class _Pairs(list[tuple[str, object]]):
    """The members of an object as they are written."""


@lru_cache(maxsize=8)
def _strict(max_integer: int) -> json.JSONDecoder:
    def integer(digits: str) -> int:
        if _is_too_large(digits, max_integer):
            raise _Found
        return int(digits)

    def fraction(digits: str) -> float:
        number = float(digits)
        if not isfinite(number):
            raise _Found
        return number

    return json.JSONDecoder(object_pairs_hook=_members, parse_int=integer, parse_float=fraction, parse_constant=_refuse)


@lru_cache(maxsize=8)
def _marking(max_integer: int) -> json.JSONDecoder:
    def integer(digits: str) -> object:
        return _Mark(f"the integer is larger than {max_integer}") if _is_too_large(digits, max_integer) else None

    def fraction(digits: str) -> object:
        return None if isfinite(float(digits)) else _Mark("the number is larger than a reader can hold")

    def constant(name: str) -> object:
        return _Mark(f"{name} is not a number in JSON")

    return json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=integer, parse_float=fraction, parse_constant=constant)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Found
    return members


def _refuse(name: str) -> NoReturn:
    raise _Found


def _is_too_large(digits: str, max_integer: int) -> bool:
    # The length first: the time to convert digits grows with their square.
    return len(digits) > len(str(max_integer)) + 1 or abs(int(digits)) > max_integer


def _faults(value: object, path: tuple[str, ...], depth: int) -> Iterator[JsonRefused]:
    match value:
        case _Mark(reason):
            yield JsonRefused(reason, _place(path))
        case str() if _HALF_PAIR.search(value):
            yield JsonRefused("the text holds half of a surrogate pair", _place(path))
        case list() if depth == 0:
            yield _too_deep(len(path), "")
        case _Pairs():
            seen: set[str] = set()
            for name, inner in value:
                if name in seen:
                    yield JsonRefused("the name occurs twice in one object", _place((*path, name)))
                if _HALF_PAIR.search(name):
                    yield JsonRefused("a name holds half of a surrogate pair", _place(path))
                seen.add(name)
                yield from _faults(inner, (*path, name), depth - 1)
        case list():
            for index, inner in enumerate(value):
                yield from _faults(inner, (*path, str(index)), depth - 1)


def _place(path: tuple[str, ...]) -> str:
    return ".".join(name if len(name) <= _SHOWN and name.isprintable() else f"{ascii(name)[:_SHOWN]}…" for name in path)
