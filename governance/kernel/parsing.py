"""Narrowing JSON values to the types that the code expects, at the edge where they come in.

Every function returns its argument under a narrower type and raises ValueError, with a short reason, for anything else.
Callers turn that into the error of their area.
"""


def parse_object(value: object) -> dict[str, object]:
    """Return a JSON object. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"an object is expected, not {_kind(value)}")
    return value


def parse_list(value: object) -> list[object]:
    """Return a JSON array. Raises ValueError."""
    if not isinstance(value, list):
        raise ValueError(f"a list is expected, not {_kind(value)}")
    return value


def parse_text(value: object) -> str:
    """Return a JSON string, which may be empty. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"a text is expected, not {_kind(value)}")
    return value


def parse_texts(value: object) -> list[str]:
    """Return a JSON array of strings. Raises ValueError."""
    return [parse_text(item) for item in parse_list(value)]


def parse_int(value: object) -> int:
    """Return a whole JSON number; true and false are none. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"a whole number is expected, not {_kind(value)}")
    return value


def parse_bool(value: object) -> bool:
    """Return true or false. Raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"true or false is expected, not {_kind(value)}")
    return value


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__
