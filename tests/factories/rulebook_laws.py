"""What the language of rules means, said once more and simply: the reference that every compiler is held against.

With it, Hypothesis strategies for rules and for the facts they are about.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from governance.engines.numbers import decided_number
from governance.engines.types import Effect, Obligation
from governance.rulebook.attributes import Attribute, AttributeSchema, AttributeType
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator, RuleSpec
from governance.rulebook.validation import comparable_attributes

MEANINGS: Mapping[Operator, Callable[[Any, Any], bool]] = {
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
    Operator.INTERSECTS: lambda left, right: bool(set(left) & set(right)),
    Operator.STARTS_WITH: lambda left, right: left.startswith(right),
}


def holds(condition: Condition, facts: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds of some facts."""
    match condition:
        case All(items):
            return all(holds(item, facts) for item in items)
        case Any_(items):
            return any(holds(item, facts) for item in items)
        case Not(item):
            return not holds(item, facts)
        case Compare(attr, op, value, other):
            left = fact(facts, attr)
            if op is Operator.EXISTS:
                return left is not None
            right = value if other is None else fact(facts, other)
            return left is not None and right is not None and MEANINGS[op](left, right)


def fact(facts: Mapping[str, Any], path: str) -> Any:
    value: Any = facts
    for segment in path.split("."):
        value = value[segment]
    return decided_number(value) if isinstance(value, float) else value


def matched(specs: Sequence[RuleSpec], effect: Effect, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the rules of one effect that match, sorted."""
    return tuple(sorted(spec.id for spec in specs if spec.effect is effect and holds(spec.condition, facts)))


def matched_by(specs: Sequence[RuleSpec], facts: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids of the rules that permit and of those that deny."""
    return matched(specs, Effect.PERMIT, facts), matched(specs, Effect.DENY, facts)


TEXTS = ("DE", "ada", 'q"uote', "back\\slash", "\\u0041", "A", "é", "😀", "a{b}", "undefined", "null", "x", "xx")
ODD_TEXTS = (*TEXTS, "", "line\nbreak", "tab\t", "del\x7f", "\u2028", '{"a":1}')
NUMBERS = (0, 1, -1, 0.6, 0.599999999999999, 0.25, 1e-9, 12345.678, 2**40)
INTEGERS = (0, 1, -1, 640, 2**53 - 1)
TIMES = ("2026-11-20T12:00:00.000000Z", "2026-11-20T12:00:00.000001Z", "2027-01-01T00:00:00.000000Z")

_TEXT = st.sampled_from(TEXTS)
_VALUES: Mapping[AttributeType, st.SearchStrategy[Any]] = {
    AttributeType.STRING: _TEXT,
    AttributeType.BOOL: st.booleans(),
    AttributeType.INT: st.sampled_from(INTEGERS),
    AttributeType.NUMBER: st.sampled_from(NUMBERS),
    AttributeType.STRING_LIST: _TEXT,
    AttributeType.TIME: st.sampled_from(TIMES),
}
_FACTS: Mapping[AttributeType, st.SearchStrategy[Any]] = {
    **_VALUES,
    AttributeType.STRING: st.sampled_from(ODD_TEXTS),
    AttributeType.NUMBER: st.sampled_from(NUMBERS) | st.floats(-1e6, 1e6),
    AttributeType.STRING_LIST: st.lists(st.sampled_from(ODD_TEXTS), max_size=4),
}


def opaque(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy that reports show by a name, instead of by all that it is made of."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        return draw(inner)

    return drawn()


def facts(schema: AttributeSchema, action: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return complete facts for an action."""
    leaves: dict[str, st.SearchStrategy[Any]] = {}
    branches: dict[str, dict[str, st.SearchStrategy[Any]]] = {}
    for attribute in schema.attributes_for(action):
        head, _, name = attribute.path.partition(".")
        if name:
            branches.setdefault(head, {})[name] = _fact_of(attribute)
        else:
            leaves[head] = _fact_of(attribute)
    nested = {head: st.fixed_dictionaries(below) for head, below in branches.items()}
    return opaque(st.fixed_dictionaries({**leaves, **nested, "action": st.just(action)}))


def _fact_of(attribute: Attribute) -> st.SearchStrategy[Any]:
    values = st.sampled_from(attribute.values) if attribute.values else _FACTS[attribute.type]
    return st.none() | values if attribute.nullable else values


def comparisons(schema: AttributeSchema, actions: Sequence[str]) -> st.SearchStrategy[Compare]:
    """Return any comparison that the schema allows in a rule about `actions`."""
    return st.one_of(
        [
            _comparison(attribute, op, comparable_attributes(attribute, op, actions, schema))
            for attribute in schema.attributes.values()
            if attribute.actions.issuperset(actions)
            for op in attribute.operators
        ]
    )


def _comparison(attribute: Attribute, op: Operator, others: Sequence[Attribute]) -> st.SearchStrategy[Compare]:
    if op is Operator.EXISTS:
        return st.just(Compare(attribute.path, op))
    value = st.sampled_from(attribute.values) if attribute.values else _VALUES[attribute.type]
    operand: st.SearchStrategy[Any]
    if op in (Operator.IN, Operator.NOT_IN, Operator.INTERSECTS):
        operand = st.lists(value, min_size=1, max_size=3, unique=True).map(tuple)
    elif op is Operator.BETWEEN:
        operand = st.lists(value, min_size=2, max_size=2, unique=True).map(sorted).map(tuple)
    else:
        operand = value
    with_value = operand.map(lambda drawn: Compare(attribute.path, op, value=drawn))
    with_other = [st.just(Compare(attribute.path, op, other=other.path)) for other in others]
    return st.one_of([with_value, *with_other])


def conditions(schema: AttributeSchema, actions: Sequence[str]) -> st.SearchStrategy[Condition]:
    """Return any condition, nested a few levels deep."""
    nested: st.SearchStrategy[Condition] = st.recursive(
        opaque(comparisons(schema, actions)),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3, unique=True).map(lambda items: All(tuple(items))),
            st.lists(inner, min_size=1, max_size=3, unique=True).map(lambda items: Any_(tuple(items))),
            inner.map(Not),
        ),
        max_leaves=8,
    )
    return opaque(nested)


OBLIGATIONS = (
    Obligation("limit_resolution", {"max_edge": 256}),
    Obligation("limit_resolution", {"max_edge": 512}),
    Obligation("embed_provenance"),
)


def rule_sets(schema: AttributeSchema, action: str) -> st.SearchStrategy[list[RuleSpec]]:
    """Return one to five rules about an action."""
    obligations = {
        Effect.DENY: st.just(()),
        Effect.PERMIT: st.lists(st.sampled_from(OBLIGATIONS), max_size=2).map(tuple),
    }
    meant = conditions(schema, [action])
    one = st.one_of(
        [
            st.builds(
                RuleSpec,
                id=st.from_regex(r"[a-z0-9]{1,4}(-[a-z0-9]{1,3}){0,2}", fullmatch=True),
                effect=st.just(effect),
                actions=st.just((action,)),
                condition=meant,
                reason_code=st.just("because"),
                message=st.just("Because of {action}."),
                obligations=obligations[effect],
            )
            for effect in Effect
        ]
    )
    return opaque(st.lists(one, min_size=1, max_size=5, unique_by=lambda spec: spec.id))
