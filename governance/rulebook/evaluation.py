"""The meaning of conditions, in Python: to explain decisions, and to evaluate what is known before a query is made.

Decisions are made by the engines; tests compare this module with them.
"""

from collections.abc import Callable, Mapping

from governance.engines.numbers import decided_number
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator

#: Operands have the types that the operator takes: rules are checked for it, and facts against the schema.
_MEANINGS: Mapping[Operator, Callable[..., bool]] = {
    Operator.EQ: lambda left, right: left == right,
    Operator.NE: lambda left, right: left != right,
    Operator.LT: lambda left, right: left < right,
    Operator.LTE: lambda left, right: left <= right,
    Operator.GT: lambda left, right: left > right,
    Operator.GTE: lambda left, right: left >= right,
    Operator.BETWEEN: lambda left, right: right[0] <= left <= right[1],
    Operator.IN: lambda left, right: left in right,
    Operator.NOT_IN: lambda left, right: left not in right,
    Operator.CONTAINS: lambda left, right: right in left,
    Operator.INTERSECTS: lambda left, right: not set(left).isdisjoint(right),
    Operator.STARTS_WITH: lambda left, right: left.startswith(right),
}


def holds(condition: Condition, facts: Mapping[str, object]) -> bool:
    """Return whether a checked condition holds of complete facts. Raises KeyError, the path, where one is absent."""
    match condition:
        case All(items):
            return all(holds(item, facts) for item in items)
        case Any_(items):
            return any(holds(item, facts) for item in items)
        case Not(item):
            return not holds(item, facts)
        case Compare(attr, op, value, other):
            right = value if other is None else fact_at(facts, other)
            return compare(op, fact_at(facts, attr), right)


def compare(op: Operator, left: object, right: object) -> bool:
    """Return whether a comparison of two values holds; with a null on either side only `exists` looks at it."""
    if op is Operator.EXISTS:
        return left is not None
    return left is not None and right is not None and _MEANINGS[op](left, right)


def fact_at(facts: Mapping[str, object], path: str) -> object:
    """Return the fact at a dotted path, fractions as they are decided. Raises KeyError, the path, when it is absent."""
    value: object = facts
    for segment in path.split("."):
        if not isinstance(value, Mapping) or segment not in value:
            raise KeyError(path)
        value = value[segment]
    return decided_number(value) if isinstance(value, float) else value
