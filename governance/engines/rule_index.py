"""Finds the rules that can concern a request by lookups, instead of evaluating every rule.

Many rules match only where one attribute has a certain value. Indexed by that value, they cost nothing in requests with
another. The index never misses a rule: one that is not found would not have matched.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from governance.engines.rego_input import FactMissing

Key: TypeAlias = str | bool
RuleIds: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AttributeIndex:
    """Rules indexed by the values of one attribute.

    `when` has those that need the value, or a list that contains it; `unless` those that need any other value. An
    `identifying` attribute has so many values that its rules are worth a program of their own.
    """

    path: tuple[str, ...]
    when: Mapping[Key, RuleIds]
    unless: Mapping[Key, RuleIds]
    identifying: bool

    def found(self, facts: Mapping[str, object]) -> Iterator[RuleIds]:
        """Yield the groups of rules for the fact of a request. Raises FactMissing when it is not given."""
        value = self._fact(facts)
        if value is None:
            return
        for item in value if isinstance(value, list | tuple) else (value,):
            if item in self.when:
                yield self.when[item]
        if self.unless:
            yield from (rules for other, rules in self.unless.items() if other != value)

    def _fact(self, facts: Mapping[str, object]) -> object:
        value: object = facts
        for segment in self.path:
            if not isinstance(value, Mapping) or segment not in value:
                raise FactMissing(".".join(self.path))
            value = value[segment]
        return value


@dataclass(frozen=True, slots=True)
class RuleIndex:
    """The rules of one action: those that may concern any request, and the others by the values that they need.

    `reads` are the dotted paths of the attributes that each rule tests or quotes.
    """

    always: RuleIds
    attributes: tuple[AttributeIndex, ...]
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def groups(self, facts: Mapping[str, object]) -> tuple[RuleIds, ...]:
        """Return the candidates among the rules, sorted, in groups that recur from request to request.

        The first group depends on attributes with few values; each further one on one identifying attribute. A rule may
        be in several groups; no group is empty. Raises FactMissing.
        """
        general = set(self.always)
        own: list[RuleIds] = []
        for attribute in self.attributes:
            if attribute.identifying:
                ids = {rule for rules in attribute.found(facts) for rule in rules}
                if ids:
                    own.append(tuple(sorted(ids)))
            else:
                for rules in attribute.found(facts):
                    general.update(rules)
        return (tuple(sorted(general)), *own) if general else tuple(own)
