"""Writes a rule as an English sentence."""

import json
import re
from collections.abc import Sequence

from governance.engines.obligations import obligations_phrase
from governance.engines.types import Effect
from governance.rulebook.attributes import Attribute, AttributeSchema, AttributeType
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator, RuleSpec, Scalar

_PLAIN = re.compile(r"[\w./:+-]+")
_VERBS = {
    Operator.EQ: "is",
    Operator.NE: "is not",
    Operator.LT: "is less than",
    Operator.LTE: "is at most",
    Operator.GT: "is more than",
    Operator.GTE: "is at least",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.CONTAINS: "include",
    Operator.INTERSECTS: "include any of",
    Operator.STARTS_WITH: "starts with",
}
_TIME_VERBS = {
    Operator.LT: "is before",
    Operator.LTE: "is not after",
    Operator.GT: "is after",
    Operator.GTE: "is not before",
}
_NEGATED_VERBS = {
    Operator.CONTAINS: "do not include",
    Operator.INTERSECTS: "include none of",
    Operator.STARTS_WITH: "does not start with",
}


def sentence(spec: RuleSpec, schema: AttributeSchema) -> str:
    """Return what the rule does, such as "Deny asset.infer when the partner's region is one of DE, FR."."""
    verb = "Deny" if spec.effect is Effect.DENY else "Permit"
    proviso = f", provided that {obligations_phrase(spec.obligations)}" if spec.obligations else ""
    return f"{verb} {_actions(spec.actions, schema)} when {condition_sentence(spec.condition, schema)}{proviso}."


def condition_sentence(condition: Condition, schema: AttributeSchema) -> str:
    """Return the condition as the part of a sentence after "when"."""
    return _phrase(condition, schema, inside="")


def _phrase(condition: Condition, schema: AttributeSchema, *, inside: str) -> str:
    match condition:
        case All(items) | Any_(items):
            word = "and" if isinstance(condition, All) else "or"
            parts = [_phrase(item, schema, inside=word) for item in items]
            text = f" {word} ".join(parts)
            return f"({text})" if inside not in ("", word) and len(parts) > 1 else text
        case Not(Compare() as compare):
            return _negated(compare, schema)
        case Not(item):
            return f"it is not so that {_phrase(item, schema, inside='not')}"
        case Compare():
            return _comparison(condition, schema)


def _comparison(compare: Compare, schema: AttributeSchema) -> str:
    attribute = schema.attributes[compare.attr]
    if attribute.type is AttributeType.BOOL and compare.other is None:
        return attribute.when_true if compare.value is True else attribute.when_false
    if compare.op is Operator.EXISTS:
        return f"{attribute.label} is set"
    if compare.op is Operator.BETWEEN:
        return f"{attribute.label} is from {' to '.join(_scalar(value) for value in compare.values)}"
    return f"{attribute.label} {_verb(attribute, compare.op)} {_operand(compare, schema)}"


def _negated(compare: Compare, schema: AttributeSchema) -> str:
    attribute = schema.attributes[compare.attr]
    if compare.op is Operator.EXISTS:
        return f"{attribute.label} is not set"
    if compare.op in _NEGATED_VERBS and not attribute.nullable:
        return f"{attribute.label} {_NEGATED_VERBS[compare.op]} {_operand(compare, schema)}"
    return f"it is not so that {_comparison(compare, schema)}"


def _verb(attribute: Attribute, op: Operator) -> str:
    if attribute.type is AttributeType.TIME:
        return _TIME_VERBS.get(op, _VERBS[op])
    return _VERBS[op]


def _operand(compare: Compare, schema: AttributeSchema) -> str:
    if compare.other is not None:
        return schema.attributes[compare.other].label
    return ", ".join(_scalar(value) for value in compare.values)


def _scalar(value: Scalar) -> str:
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def operator_label(attribute: Attribute, op: Operator) -> str:
    """Return how a comparison reads between the attribute's label and the value."""
    match op:
        case Operator.BETWEEN:
            return "is from … to"
        case Operator.EXISTS:
            return "is set"
    return _verb(attribute, op)


def _actions(actions: Sequence[str], schema: AttributeSchema) -> str:
    """Name the actions; if all actions on a type of resource are there, they get one name."""
    if set(schema.actions) <= set(actions):
        return "every action"
    words: list[str] = []
    for action in actions:
        kind = action.partition(".")[0]
        siblings = [other for other in schema.actions if other.startswith(f"{kind}.")]
        word = f"{kind}.*" if len(siblings) > 1 and set(siblings) <= set(actions) else action
        if word not in words:
            words.append(word)
    return _and(words)


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
