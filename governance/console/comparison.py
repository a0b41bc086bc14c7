"""Two versions of something side by side: only what differs, lists as what was added and what was removed."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from governance.kernel.canonical import Json


def as_text(value: Json) -> str:
    """Return a value of a version as people read it."""
    if value is None or value == "":
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def listed(empty: str) -> Callable[[Json], str]:
    """Return how a list reads in one line, where an empty one means something of its own, such as "everywhere"."""
    return lambda value: ", ".join(str(each) for each in value) if isinstance(value, list) and value else empty


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field of a version. With `as_set` its items are compared one by one; `text` shows it otherwise."""

    name: str
    label: str
    as_set: bool = False
    text: Callable[[Json], str] = as_text


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field in which two versions differ: as text, or for a set as items."""

    label: str
    is_set: bool
    before: str = ""
    after: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def differences(
    fields: Sequence[ShownField], before: Mapping[str, Json] | None, after: Mapping[str, Json]
) -> list[FieldDifference]:
    """Return the fields in which `after` differs from `before`, in their order; None stands for nothing at all."""
    old = before or {}
    changed = [field for field in fields if before is None or old.get(field.name) != after.get(field.name)]
    return [_difference(field, old.get(field.name), after.get(field.name), is_new=before is None) for field in changed]


def _difference(field: ShownField, before: Json, after: Json, *, is_new: bool) -> FieldDifference:
    if field.as_set:
        old, new = set(_items(before)), set(_items(after))
        return FieldDifference(
            label=field.label,
            is_set=True,
            added=tuple(sorted(new - old)),
            removed=tuple(sorted(old - new)),
            kept=tuple(sorted(new & old)),
        )
    return FieldDifference(field.label, False, before="" if is_new else field.text(before), after=field.text(after))


def _items(value: Json) -> list[str]:
    return [as_text(each) for each in value] if isinstance(value, list) else []
