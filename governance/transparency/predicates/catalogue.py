"""The predicate types that there are, and their schemas as they are published.

A schema describes the whole statement (in-toto Statement v1), which is the payload of a receipt's envelope. Published,
it is a compound document (JSON Schema 2020-12, section 9.3): the parts that it shares with others are inside, so that
one download is all that a validator needs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from governance.kernel.canonical import Json
from governance.kernel.json_reading import read_json_object

Schema: TypeAlias = dict[str, Json]

SCHEMA_MEDIA_TYPE: Final = "application/schema+json"
"""The media type of JSON Schemas (draft 2020-12, section 14)."""
COMMON: Final = "common"
_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Predicate:
    """One predicate type. `name` is short, such as "upload/v1"; `type` is what statements have as `predicateType`."""

    name: str
    type: str
    title: str
    description: str
    schema: Schema
    examples: tuple[Schema, ...]


def all_predicates() -> tuple[Predicate, ...]:
    """Return every predicate type, sorted by name."""
    return tuple(_predicates().values())


def find_predicate(name: str) -> Predicate | None:
    """Return the predicate type with that short name, such as "upload/v1"."""
    return _predicates().get(name)


def predicate_of_type(predicate_type: str) -> Predicate | None:
    """Return the predicate type that a statement names as its `predicateType`."""
    return next((each for each in _predicates().values() if each.type == predicate_type), None)


@cache
def published_schemas() -> Mapping[str, bytes]:
    """Return the bytes of every published schema by name: those of the predicates, and that of the common parts."""
    schemas = {each.name: each.schema for each in all_predicates()} | {COMMON: _read(_FOLDER / "common.json")}
    return MappingProxyType({name: as_text(schema).encode() for name, schema in schemas.items()})


def as_text(value: Json) -> str:
    """Return JSON as people read it: indented, in the order of the file."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


@cache
def _predicates() -> Mapping[str, Predicate]:
    common = _read(_FOLDER / "common.json")
    paths = sorted(_FOLDER.glob("*/v*.json"))
    return MappingProxyType({each.name: each for each in (_predicate(path, common) for path in paths)})


def _predicate(path: Path, common: Schema) -> Predicate:
    schema = _read(path)
    identifier = str(schema["$id"])
    return Predicate(
        name=f"{path.parent.name}/{path.stem}",
        type=identifier.removesuffix(".json"),
        title=str(schema["title"]),
        description=str(schema["description"]),
        schema=schema | {"$defs": {COMMON: common}},
        examples=tuple(each for each in _items(schema["examples"]) if isinstance(each, dict)),
    )


def _read(path: Path) -> Schema:
    return cast("Schema", read_json_object(path.read_bytes()))


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
