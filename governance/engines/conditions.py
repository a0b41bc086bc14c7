"""Evaluates conditions, in their JSON form, against facts, without Rego.

The meaning is that of `rulebook.types`: a comparison with a null is false, `exists` alone sees null, `not` is plain
negation, fractions are compared as `decided_number`. Tests hold it against the Rego engines.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import TypeAlias

from governance.engines.numbers import decided_number
from governance.engines.rego_input import FactMissing
from governance.engines.rego_writer import SAFE_INTEGER, NotRepresentable
from governance.kernel.json_reading import read_json

Facts: TypeAlias = Mapping[str, object]
Test: TypeAlias = Callable[[Facts], bool]


@lru_cache(maxsize=65_536)
def condition_test(text: str) -> Test:
    """Return the test that a condition's JSON text describes. Raises ValueError for anything else.

    The test raises FactMissing for a fact that is not given, NotRepresentable for one that not every engine can hold.
    """
    return _test(read_json(text))


def _test(data: object) -> Test:
    match data:
        case {"all": [*items], **rest} if items and not rest:
            tests = [_test(item) for item in items]
            return lambda facts: all(test(facts) for test in tests)
        case {"any": [*items], **rest} if items and not rest:
            tests = [_test(item) for item in items]
            return lambda facts: any(test(facts) for test in tests)
        case {"not": item, **rest} if not rest:
            test = _test(item)
            return lambda facts: not test(facts)
        case {"attr": str(attr), "op": "exists", **rest} if not rest:
            return lambda facts: fact_at(facts, attr) is not None
        case {"attr": str(attr), "op": str(op), "value": value, **rest} if not rest and op in _MEANINGS:
            return _against_value(attr, _MEANINGS[op], value)
        case {"attr": str(attr), "op": str(op), "other": str(other), **rest} if not rest and op in _MEANINGS:
            return _against_fact(attr, _MEANINGS[op], other)
    raise ValueError("This is not a condition.")


def _against_value(attr: str, meaning: Callable[[object, object], bool], value: object) -> Test:
    path = tuple(attr.split("."))

    def test(facts: Facts) -> bool:
        left = _fact(facts, path)
        return left is not None and meaning(left, value)

    return test


def _against_fact(attr: str, meaning: Callable[[object, object], bool], other: str) -> Test:
    path, other_path = tuple(attr.split(".")), tuple(other.split("."))

    def test(facts: Facts) -> bool:
        left, right = _fact(facts, path), _fact(facts, other_path)
        return left is not None and right is not None and meaning(left, right)

    return test


def fact_at(facts: Facts, path: str) -> object:
    """Return the fact at a dotted path as it is compared. Raises FactMissing or NotRepresentable."""
    return _fact(facts, tuple(path.split(".")))


def _fact(facts: Facts, path: Sequence[str]) -> object:
    value: object = facts
    for segment in path:
        if not isinstance(value, Mapping) or segment not in value:
            raise FactMissing(".".join(path))
        value = value[segment]
    match value:
        case bool() | str() | None | list() | tuple():
            return value
        case int() if abs(value) <= SAFE_INTEGER:
            return value
        case float() if isfinite(value) and abs(value) <= SAFE_INTEGER:
            return decided_number(value)
    raise NotRepresentable(f"A fact of type {type(value).__name__} has no form that every engine holds exactly.")


def _same(left: object, right: object) -> bool:
    """Return whether two values are equal; true is not 1."""
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


#: Operands have the types that the operator takes: rules are checked for it, and facts against the schema.
_MEANINGS: Mapping[str, Callable[..., bool]] = {
    "eq": _same,
    "ne": lambda left, right: not _same(left, right),
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "between": lambda left, right: right[0] <= left <= right[1],
    "in": lambda left, right: left in right,
    "not_in": lambda left, right: left not in right,
    "contains": lambda left, right: right in left,
    "intersects": lambda left, right: any(item in right for item in left),
    "starts_with": lambda left, right: left.startswith(right),
}
