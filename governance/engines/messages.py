"""Fills the placeholders of rule messages with facts."""

import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)\}")


def placeholders(message: str) -> tuple[str, ...]:
    """Return the attribute paths that `message` quotes, in order of appearance."""
    return tuple(PLACEHOLDER.findall(message))


def render(message: str, facts: Mapping[str, object]) -> str:
    """Return `message` with every `{attribute.path}` replaced by its fact; an absent fact reads "unknown"."""
    return PLACEHOLDER.sub(lambda match: _text(_fact(facts, match[1])), message)


def _fact(facts: Mapping[str, object], path: str) -> object:
    value: object = facts
    for segment in path.split("."):
        if not isinstance(value, Mapping) or segment not in value:
            return "unknown"
        value = value[segment]
    return value


def _text(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(_text(item) for item in value) or "none"
    return str(value)
