"""Indexes rules by the attribute values that they need, so that engines find the few that concern a request."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from governance.engines.messages import placeholders
from governance.engines.rule_index import AttributeIndex, Key, RuleIndex
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator, RuleSpec, Value

#: Attributes that identify one thing among thousands. Their rules are indexed apart, each value by itself.
IDENTIFYING = frozenset(
    [
        "asset.creator",
        "asset.dataset",
        "asset.id",
        "asset.tags",
        "licence.slug",
        "model.owner",
        "model.slug",
        "subject.client",
        "subject.partner",
    ]
)
_HAS_VALUE = frozenset([Operator.EQ, Operator.IN, Operator.CONTAINS, Operator.INTERSECTS])


@dataclass(frozen=True, slots=True, order=True)
class _Need:
    """What a rule needs to match: an attribute that is, or contains, a value; with `other`, any other value."""

    attr: str
    value: Key
    other: bool = False


def compile_index(specs: Sequence[RuleSpec]) -> RuleIndex:
    """Return the index of the rules of one action."""
    always: list[str] = []
    filed: dict[str, dict[_Need, list[str]]] = defaultdict(lambda: defaultdict(list))
    for spec in specs:
        needs = _needs(spec.condition)
        if needs is None:
            always.append(spec.id)
            continue
        # A rule with alternatives over several facts stays together, whatever facts they are.
        identifying = _is_identifying(needs)
        for need in needs:
            filed[f"{need.attr}:{identifying}"][need].append(spec.id)
    return RuleIndex(
        always=tuple(sorted(always)),
        attributes=tuple(_attribute(key, filed[key]) for key in sorted(filed)),
        reads={spec.id: tuple(sorted({*_asked(spec.condition), *placeholders(spec.message)})) for spec in specs},
    )


def _asked(condition: Condition) -> Iterator[str]:
    match condition:
        case All(items) | Any_(items):
            for item in items:
                yield from _asked(item)
        case Not(item):
            yield from _asked(item)
        case Compare(attr, _, _, other):
            yield attr
            if other is not None:
                yield other


def _attribute(key: str, rules: Mapping[_Need, Sequence[str]]) -> AttributeIndex:
    path, _, identifying = key.partition(":")
    return AttributeIndex(
        path=tuple(path.split(".")),
        when={need.value: tuple(rules[need]) for need in rules if not need.other},
        unless={need.value: tuple(rules[need]) for need in rules if need.other},
        identifying=identifying == str(True),
    )


def _needs(condition: Condition) -> frozenset[_Need] | None:
    """Return needs of which at least one is met whenever the condition holds; None when there are no such needs."""
    match condition:
        case All(items):
            known = [needs for item in items if (needs := _needs(item)) is not None]
            return min(known, key=_cost, default=None)
        case Any_(items):
            alternatives = [_needs(item) for item in items]
            named = [needs for needs in alternatives if needs is not None]
            return frozenset().union(*named) if len(named) == len(alternatives) else None
        case Not():
            return None
        case Compare(attr, op, value):
            values = _keys(value)
            if op is Operator.NE and len(values) == 1:
                return frozenset([_Need(attr, values[0], other=True)])
            return frozenset(_Need(attr, each) for each in values) if values and op in _HAS_VALUE else None


def _keys(value: Value | None) -> tuple[Key, ...]:
    """Return the values compared with, if lookups find them for certain: not numbers, which engines round."""
    values = value if isinstance(value, tuple) else (value,)
    keys = tuple(item for item in values if isinstance(item, str | bool))
    return keys if len(keys) == len(values) else ()


def _cost(needs: frozenset[_Need]) -> tuple[bool, bool, int, list[_Need]]:
    """Order needs by how many requests meet them, the fewest first."""
    return not _is_identifying(needs), any(need.other for need in needs), len(needs), sorted(needs, key=repr)


def _is_identifying(needs: frozenset[_Need]) -> bool:
    return all(need.attr in IDENTIFYING and not need.other for need in needs)
