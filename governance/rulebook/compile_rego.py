"""Compiles rules to Rego v1: one readable package for each action, as `opa fmt` would write it.

The input document is the facts. The package answers with `decision`: the effect and the ids of the rules that matched.
Nulls: a comparison holds only when neither side is null, so an attribute that may be null is guarded; total facts are
the caller's promise (an undefined fact would leave a denial silent).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from governance.engines.rego_modules import COMPILED, SECTIONS, join_module
from governance.engines.types import Effect, package_of
from governance.rulebook.attributes import AttributeSchema
from governance.rulebook.sentences import sentence
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator, RuleSpec, Scalar

_SIGNS = {
    Operator.EQ: "==",
    Operator.NE: "!=",
    Operator.LT: "<",
    Operator.LTE: "<=",
    Operator.GT: ">",
    Operator.GTE: ">=",
}
# Comparisons that a null could satisfy in Rego, where null equals null and sorts before everything else.
_TRUE_OF_NULL = frozenset(
    [Operator.NE, Operator.LT, Operator.LTE, Operator.GT, Operator.GTE, Operator.BETWEEN, Operator.NOT_IN]
)
# Functions and searches that may fail on a null instead of being false.
_FAIL_ON_NULL = frozenset([Operator.STARTS_WITH, Operator.CONTAINS, Operator.INTERSECTS])


def compile_modules(specs: Iterable[RuleSpec], schema: AttributeSchema) -> dict[str, str]:
    """Return the Rego module of every action of the schema; an action without rules denies."""
    rules = sorted(specs, key=lambda spec: spec.id)
    return {
        action: compile_module(action, [spec for spec in rules if action in spec.actions], schema)
        for action in schema.actions
    }


def compile_module(action: str, specs: Sequence[RuleSpec], schema: AttributeSchema) -> str:
    """Return the Rego module that decides `action` by these rules, which must have been checked."""
    rules = {
        section: [compile_rule(spec, schema) for spec in specs if spec.effect is Effect(section)]
        for section in SECTIONS
    }
    return join_module(f"# Decides {action}. {COMPILED}\npackage {package_of(action)}\n", rules)


def compile_rule(spec: RuleSpec, schema: AttributeSchema) -> str:
    """Return the Rego of one rule: its sentence, its bodies, and the helper rules they need."""
    writer = _Writer(schema=schema, prefix=f"when_{spec.id.replace('-', '_')}")
    head = f"{spec.effect} contains {_literal(spec.id)}"
    bodies = [_block(head, body) for body in writer.bodies(spec.condition)]
    bodies[0] = f"# {sentence(spec, schema)}\n{bodies[0]}"
    return "\n".join([*bodies, *writer.helpers])


def _block(head: str, lines: Iterable[str]) -> str:
    return "\n".join([f"{head} if {{", *(f"\t{line}" for line in lines), "}\n"])


def _literal(value: Scalar) -> str:
    # The shortest JSON escapes: the embedded engine compares strings as they are written.
    return json.dumps(value, ensure_ascii=False)


@dataclass(slots=True)
class _Writer:
    """Writes the bodies of one rule; helper rules are numbered in the order in which they are needed."""

    schema: AttributeSchema
    prefix: str
    helpers: list[str] = field(default_factory=list)
    _helper_count: int = 0

    def bodies(self, condition: Condition) -> list[list[str]]:
        """Return one list of lines for each alternative; the condition holds when all lines of one do."""
        if isinstance(condition, Any_):
            return [body for item in condition.items for body in self.bodies(item)]
        return [self._lines(condition)]

    def _lines(self, condition: Condition) -> list[str]:
        match condition:
            case All(items):
                return [line for item in items for line in self._part(item)]
            case Any_():
                return [self._helper(condition)]
            case Not(item):
                return [f"not {self._expression(item)}"]
            case Compare():
                return [*self._guards(condition), *self._comparison(condition)]

    def _part(self, condition: Condition) -> list[str]:
        """Return the lines of one of several conditions in a body.

        A search through a list gets a body of its own: in a body with `some`, the embedded engine evaluates the other
        lines in an order of its own, and a guard against null would come too late.
        """
        if isinstance(condition, Compare) and condition.op is Operator.INTERSECTS:
            return [self._helper(condition)]
        return self._lines(condition)

    def _expression(self, condition: Condition) -> str:
        """Return one expression that can be negated."""
        if isinstance(condition, Compare) and condition.op not in (Operator.NOT_IN, Operator.INTERSECTS):
            lines = self._lines(condition)
            if len(lines) == 1:
                return lines[0]
        return self._helper(condition)

    def _helper(self, condition: Condition) -> str:
        self._helper_count += 1
        name = f"{self.prefix}_{self._helper_count}"
        place = len(self.helpers)
        bodies = [_block(name, body) for body in self.bodies(condition)]
        self.helpers[place:place] = bodies
        return name

    def _guards(self, compare: Compare) -> Iterator[str]:
        paths = [path for path in (compare.attr, compare.other) if path and self.schema.attributes[path].nullable]
        if compare.op is Operator.EQ:
            # Equality with one null is false; only two nulls would be equal.
            guarded = len(paths) > 1
        elif compare.op is Operator.IN:
            # A null is in no list of values, but a search through a null fails.
            guarded = compare.other is not None
        else:
            guarded = compare.op in _TRUE_OF_NULL | _FAIL_ON_NULL
        if guarded:
            yield from (f"input.{path} != null" for path in paths)

    def _comparison(self, compare: Compare) -> list[str]:
        fact = f"input.{compare.attr}"
        operand = _operand(compare)
        match compare.op:
            case Operator.EXISTS:
                return [f"{fact} != null"]
            case Operator.IN:
                return [f"{fact} in {operand}"]
            case Operator.NOT_IN:
                return [f"not {fact} in {operand}"]
            case Operator.CONTAINS:
                return [f"{operand} in {fact}"]
            case Operator.INTERSECTS:
                return [f"some item in {fact}", f"item in {operand}"]
            case Operator.STARTS_WITH:
                return [f"startswith({fact}, {operand})"]
            case Operator.BETWEEN:
                low, high = compare.values
                return [f"{fact} >= {_literal(low)}", f"{fact} <= {_literal(high)}"]
        return [f"{fact} {_SIGNS[compare.op]} {operand}"]


def _operand(compare: Compare) -> str:
    if compare.other is not None:
        return f"input.{compare.other}"
    literals = ", ".join(_literal(value) for value in compare.values)
    return f"{{{literals}}}" if isinstance(compare.value, tuple) else literals
