"""Strict reading of untrusted JSON, so that no two readers can understand the same bytes differently."""

from collections.abc import Collection

from governance.kernel import json_reading as strict
from governance.kernel.errors import InvalidInput

MAX_DOCUMENT_BYTES = 1024 * 1024
#: What we write is a few levels deep. Deeper input could only serve to exhaust the reader.
MAX_DEPTH = 32


class Unreadable(InvalidInput):
    """Input is not in the required form."""

    code = "unreadable"


def read_json(data: bytes) -> object:
    """Return the JSON value in `data`, at most MAX_DOCUMENT_BYTES of UTF-8.

    Raises Unreadable, also for a name that occurs twice in an object and for numbers that JSON does not have.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise Unreadable(f"It has more than {MAX_DOCUMENT_BYTES} bytes.")
    try:
        return strict.read_json(data, depth=MAX_DEPTH)
    except strict.JsonRefused as error:
        raise Unreadable(f"It is not acceptable JSON: {error}.") from error


def members(value: object, names: Collection[str], what: str) -> dict[str, object]:
    """Return `value`, an object with exactly the members `names`. Raises Unreadable."""
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is not an object.")
    if missing := sorted(set(names) - set(value)):
        raise Unreadable(f"{what} lacks {', '.join(missing)}.")
    if unknown := sorted(set(value) - set(names)):
        raise Unreadable(f"{what} has unknown members: {', '.join(map(repr, unknown))}.")
    return value


def text(value: object, what: str) -> str:
    """Return `value`, a text that is not empty. Raises Unreadable."""
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{what} is not a text.")
    return value


def whole(value: object, what: str) -> int:
    """Return `value`, a whole number from 0. Raises Unreadable."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unreadable(f"{what} is not a whole number from 0.")
    return value


def items(value: object, what: str) -> list[object]:
    """Return `value`, a list. Raises Unreadable."""
    if not isinstance(value, list):
        raise Unreadable(f"{what} is not a list.")
    return value
