"""A schema as a table: every member of a statement by its path, with what it holds and what that means.

Understands what the schemas of this package use of JSON Schema 2020-12: `$ref` into the common parts with keywords
beside it, `properties`, `items`, and `anyOf` to say that a value may be null or empty.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from governance.kernel.canonical import Json
from governance.transparency.predicates.catalogue import COMMON, Predicate, Schema

_REFERENCE = "#/$defs/"
#: The members in which a statement says what it is itself; one of the two.
_SELF = ("receipt", "evidence")


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a statement. `[]` in `path` stands for each item of a list; `holds` is a word or two for people."""

    path: str
    holds: str
    required: bool
    description: str


def own_fields(predicate: Predicate) -> list[Field]:
    """Return the fields of what this predicate says, by their path inside `predicate`."""
    return [each for each in _own(predicate) if not _of_itself(each.path)]


def shared_fields(predicate: Predicate) -> list[Field]:
    """Return the fields that every statement has: what it is about, its type, and what it says about itself."""
    about = [each for each in _own(predicate) if _of_itself(each.path)]
    outside = [
        each for each in _fields(predicate.schema, predicate.schema, "") if not each.path.startswith("predicate.")
    ]
    inside = [Field(f"predicate.{each.path}", each.holds, each.required, each.description) for each in about]
    return [*outside, *inside]


def _own(predicate: Predicate) -> list[Field]:
    schema = predicate.schema
    return list(_fields(schema, _object(_object(schema.get("properties")).get("predicate")), ""))


def _of_itself(path: str) -> bool:
    return path.split(".")[0] in _SELF


def _fields(root: Schema, node: Schema, prefix: str) -> Iterator[Field]:
    """Yield the fields of an object, each followed by those inside it."""
    required = _texts(node.get("required"))
    for name, raw in _object(node.get("properties")).items():
        member = _resolved(root, _object(raw))
        path = f"{prefix}{name}"
        yield Field(path, _holds(root, member), name in required, str(member.get("description", "")))
        inner, below = _inside(root, member, path)
        yield from _fields(root, inner, below)


def _inside(root: Schema, member: Schema, path: str) -> tuple[Schema, str]:
    """Return the object inside a member, which may be the member itself, an item of it, or what it is unless null."""
    if "items" in member:
        return _resolved(root, _object(member["items"])), f"{path}[]."
    first = next(iter(_alternatives(root, member)), member)
    return first, f"{path}."


def _holds(root: Schema, member: Schema) -> str:
    """Return what a member holds, in a word or two."""
    found = [_holds(root, each) for each in _alternatives(root, member)]
    if found:
        return " or ".join(found)
    if "const" in member:
        return "empty text" if member["const"] == "" else f'"{member["const"]}"'
    if "enum" in member:
        *others, last = (f'"{each}"' for each in _texts(member["enum"]))
        return f"{', '.join(others)} or {last}" if others else last
    return str(member.get("title") or member.get("type", ""))


def _alternatives(root: Schema, member: Schema) -> list[Schema]:
    choices = member.get("anyOf")
    return [_resolved(root, _object(each)) for each in choices] if isinstance(choices, list) else []


def _resolved(root: Schema, node: Schema) -> Schema:
    """Return a schema with what it refers to filled in; its own keywords count beside those it refers to."""
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return node
    common = _object(_object(root.get("$defs")).get(COMMON))
    target = _object(_object(common.get("$defs"))[reference.partition(_REFERENCE)[2]])
    return _merged(_resolved(root, target), {name: each for name, each in node.items() if name != "$ref"})


def _merged(base: Schema, over: Schema) -> Schema:
    """Return both schemas as one; where both have a keyword, objects are merged and of all else `over` counts."""
    merged = dict(base)
    for name, value in over.items():
        known = merged.get(name)
        merged[name] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _object(value: Json) -> Schema:
    return value if isinstance(value, dict) else {}


def _texts(value: Json) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
