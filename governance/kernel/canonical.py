"""Canonical JSON (RFC 8785) and digests over it."""

import hashlib
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TypeAlias, cast
from uuid import UUID

import rfc8785

from governance.kernel.errors import InvalidInput

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class NotCanonical(InvalidInput):
    """A value has no canonical JSON form."""

    code = "not_canonical"


def to_json_value(value: object) -> Json:
    """Return `value` in plain JSON types.

    UUID becomes its text, a datetime RFC 3339 in UTC with microseconds, an Enum its value, a tuple a list, a set a
    sorted list, a dataclass instance an object. Raises NotCanonical for anything else, and for a naive datetime.
    """
    match value:
        case Enum():
            return to_json_value(value.value)
        case None | bool() | int() | float() | str():
            return value
        case UUID():
            return str(value)
        case datetime():
            return timestamp(value)
        case Mapping():
            return {_key(key): to_json_value(item) for key, item in value.items()}
        case list() | tuple():
            return [to_json_value(item) for item in value]
        case set() | frozenset():
            return _sorted(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json_value(getattr(value, field.name)) for field in fields(value)}
    raise NotCanonical(f"A value of type {type(value).__name__} has no JSON form.")


def to_json_object(value: object) -> dict[str, Json]:
    """Return a mapping or a dataclass instance as a JSON object. Raises NotCanonical for anything else."""
    plain = to_json_value(value)
    if not isinstance(plain, dict):
        raise NotCanonical(f"A value of type {type(value).__name__} is not an object in JSON.")
    return plain


def _sorted(items: Set[object]) -> list[Json]:
    plain = [to_json_value(item) for item in items]
    try:
        # Values that have no order, or none among each other, are found by trying.
        return sorted(plain, key=lambda item: cast("str", item))
    except TypeError as error:
        raise NotCanonical("A set of values that cannot be ordered has no JSON form.") from error


def _key(key: object) -> str:
    plain = key.value if isinstance(key, Enum) else key
    if not isinstance(plain, str):
        raise NotCanonical(f"An object key must be text, not {type(plain).__name__}.")
    return plain


def timestamp(moment: datetime) -> str:
    """Return an aware datetime as RFC 3339 text in UTC, microseconds always shown. Raises NotCanonical if naive."""
    if moment.tzinfo is None:
        raise NotCanonical("A datetime without a time zone has no canonical form.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical_json(value: object) -> bytes:
    """Return the RFC 8785 bytes of `value`. Raises NotCanonical when it has none (NaN, integers past 2^53, ...)."""
    try:
        return rfc8785.dumps(to_json_value(value))
    except rfc8785.CanonicalizationError as error:
        raise NotCanonical(str(error)) from error


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 lower-case hexadecimal digits (FIPS 180-4)."""
    return hashlib.sha256(data).hexdigest()


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical JSON of `value`, in hexadecimal."""
    return sha256_hex(canonical_json(value))
