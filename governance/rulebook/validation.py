"""Checks a rule against the attribute schema, and names the fields that do not fit."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from governance.engines.messages import placeholders
from governance.engines.numbers import SIGNIFICANT_DIGITS, decided_number
from governance.engines.obligations import obligation_problems
from governance.engines.types import Effect
from governance.kernel.texts import did_you_mean
from governance.rulebook.attributes import (
    Attribute,
    AttributeSchema,
    AttributeType,
    normal_time,
)
from governance.rulebook.errors import FieldError, RuleInvalid
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator, RuleSpec, Scalar

_RULE_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_CODE = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_BRACES = re.compile(r"\{[^{}]*\}|[{}]")
_MAX_ID, _MAX_MESSAGE = 50, 300
_LISTS = frozenset([Operator.IN, Operator.NOT_IN, Operator.INTERSECTS, Operator.BETWEEN])
# Types whose values may be compared with one another.
_FAMILIES = {
    AttributeType.STRING: "text",
    AttributeType.ENUM: "text",
    AttributeType.INT: "number",
    AttributeType.NUMBER: "number",
    AttributeType.BOOL: "bool",
    AttributeType.TIME: "time",
    AttributeType.STRING_LIST: "list of texts",
}


def checked(spec: RuleSpec, schema: AttributeSchema) -> RuleSpec:
    """Return the rule in normal form: actions in the product's order, times in UTC with microseconds.

    Raises RuleInvalid with every field that is wrong.
    """
    condition = _normal(spec.condition, schema)
    actions = tuple(action for action in schema.actions if action in spec.actions)
    errors = [*_head_errors(spec, schema), *_ConditionCheck(schema, actions).errors(condition, "condition")]
    if errors:
        raise RuleInvalid(errors, rule_id=spec.id)
    return replace(spec, actions=actions, condition=condition)


def comparable_attributes(
    attribute: Attribute, op: Operator, actions: Sequence[str], schema: AttributeSchema
) -> tuple[Attribute, ...]:
    """Return the attributes that may stand on the other side of a comparison in a rule about `actions`."""
    if op in (Operator.BETWEEN, Operator.EXISTS):
        return ()
    wanted = _wanted_family(attribute, op)
    return tuple(
        other
        for other in schema.attributes.values()
        if other.path != attribute.path and _FAMILIES[other.type] == wanted and other.actions.issuperset(actions)
    )


def _head_errors(spec: RuleSpec, schema: AttributeSchema) -> Iterator[FieldError]:
    if not _RULE_ID.fullmatch(spec.id) or len(spec.id) > _MAX_ID:
        yield FieldError("id", f"An id is up to {_MAX_ID} lower-case letters and digits, in words joined by hyphens.")
    if not _CODE.fullmatch(spec.reason_code) or len(spec.reason_code) > _MAX_ID:
        yield FieldError("reason_code", "A reason code is lower-case words joined by underscores: region_blocked.")
    yield from _action_errors(spec.actions, schema)
    yield from _message_errors(spec, schema)
    yield from _obligation_errors(spec)


def _action_errors(actions: Sequence[str], schema: AttributeSchema) -> Iterator[FieldError]:
    if not actions:
        yield FieldError("actions", "Name at least one action.")
    for index, action in enumerate(actions):
        if action not in schema.actions:
            hint = did_you_mean(action, schema.actions)
            yield FieldError(f"actions[{index}]", f"'{action}' is not a known action.{hint}")
        elif action in actions[:index]:
            yield FieldError(f"actions[{index}]", f"'{action}' is named twice.")


def _message_errors(spec: RuleSpec, schema: AttributeSchema) -> Iterator[FieldError]:
    message = spec.message
    if not message.strip() or len(message) > _MAX_MESSAGE or not message.isprintable():
        yield FieldError("message", f"A message is one line of 1 to {_MAX_MESSAGE} characters.")
    quoted = placeholders(message)
    if len(_BRACES.findall(message)) != len(quoted):
        yield FieldError("message", "Braces quote a fact, such as {purpose}, and may stand for nothing else.")
    for path in quoted:
        sentence = _availability_error(schema, path, spec.actions)
        if sentence:
            yield FieldError("message", sentence)


def _obligation_errors(spec: RuleSpec) -> Iterator[FieldError]:
    if spec.obligations and spec.effect is Effect.DENY:
        yield FieldError("obligations", "Only a rule that permits can carry obligations.")
    for index, obligation in enumerate(spec.obligations):
        for path, sentence in obligation_problems(obligation):
            yield FieldError(f"obligations[{index}].{path}", sentence)


def _availability_error(schema: AttributeSchema, path: str, actions: Sequence[str]) -> str | None:
    attribute = schema.get(path)
    if attribute is None:
        return f"'{path}' is not a known attribute.{schema.suggestion(path)}"
    absent = [action for action in actions if action in schema.actions and action not in attribute.actions]
    return f"'{path}' is not known when {', '.join(absent)} is decided." if absent else None


def _normal(condition: Condition, schema: AttributeSchema) -> Condition:
    match condition:
        case All(items):
            # Times that were written differently may be the same: each is kept once.
            return All(tuple(dict.fromkeys(_normal(item, schema) for item in items)))
        case Any_(items):
            return Any_(tuple(dict.fromkeys(_normal(item, schema) for item in items)))
        case Not(item):
            return Not(_normal(item, schema))
        case Compare(attr, _, value):
            attribute = schema.get(attr)
            if value is None or attribute is None or attribute.type is not AttributeType.TIME:
                return condition
            times = tuple(_normal_scalar(item) for item in condition.values)
            return replace(condition, value=times if isinstance(value, tuple) else times[0])


def _normal_scalar(value: Scalar) -> Scalar:
    return (normal_time(value) or value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class _ConditionCheck:
    """Checks the conditions of a rule that is about `actions`."""

    schema: AttributeSchema
    actions: tuple[str, ...]

    def errors(self, condition: Condition, path: str) -> Iterator[FieldError]:
        """Yield what is wrong with the condition at `path`, such as `condition.all[1]`."""
        match condition:
            case All(items) | Any_(items):
                word = "all" if isinstance(condition, All) else "any"
                for index, item in enumerate(items):
                    yield from self.errors(item, f"{path}.{word}[{index}]")
            case Not(item):
                yield from self.errors(item, f"{path}.not")
            case Compare():
                yield from self._comparison(condition, path)

    def _comparison(self, compare: Compare, path: str) -> Iterator[FieldError]:
        attribute = self.schema.get(compare.attr)
        problem = _availability_error(self.schema, compare.attr, self.actions)
        if attribute is None or problem:
            yield FieldError(f"{path}.attr", problem or "")
            return
        if compare.op not in attribute.operators:
            offered = ", ".join(attribute.operators)
            yield FieldError(f"{path}.op", f"'{compare.op}' does not fit {attribute.label}; these do: {offered}.")
        elif compare.other is not None:
            yield from self._other(attribute, compare.op, compare.other, f"{path}.other")
        elif compare.value is not None:
            yield from _value_errors(attribute, compare, f"{path}.value")

    def _other(self, attribute: Attribute, op: Operator, path: str, field: str) -> Iterator[FieldError]:
        problem = _availability_error(self.schema, path, self.actions)
        other = self.schema.get(path)
        if other is None or problem:
            yield FieldError(field, problem or "")
        elif other.path == attribute.path:
            yield FieldError(field, "An attribute compared with itself says nothing.")
        elif op is Operator.BETWEEN:
            yield FieldError(field, "'between' needs two values.")
        elif _FAMILIES[other.type] != _wanted_family(attribute, op):
            yield FieldError(field, f"{other.label} cannot be compared with {attribute.label} this way.")


def _wanted_family(attribute: Attribute, op: Operator) -> str:
    match op:
        case Operator.IN | Operator.NOT_IN:
            # A list attribute holds texts, so only a text can be looked up in it.
            return "list of texts" if _FAMILIES[attribute.type] == "text" else "no family"
        case Operator.CONTAINS:
            return "text"
    return _FAMILIES[attribute.type]


def _value_errors(attribute: Attribute, compare: Compare, path: str) -> Iterator[FieldError]:
    is_list, needs_list = isinstance(compare.value, tuple), compare.op in _LISTS
    if is_list != needs_list:
        yield FieldError(path, "A list of values is needed here." if needs_list else "One value is needed here.")
        return
    for index, item in enumerate(compare.values):
        problem = _scalar_error(attribute, item)
        if problem:
            yield FieldError(f"{path}[{index}]" if is_list else path, problem)
            return
    if compare.op is Operator.BETWEEN and not _is_range(compare.values):
        yield FieldError(path, "Give two values, the lower one first.")


def _is_range(values: tuple[Scalar, ...]) -> bool:
    match values:
        case (str() as low, str() as high):
            return low < high
        case (int() | float() as low, int() | float() as high):
            return low < high
    return False


def _scalar_error(attribute: Attribute, value: Scalar) -> str | None:
    match attribute.type:
        case AttributeType.BOOL:
            return None if isinstance(value, bool) else "True or false is needed here."
        case AttributeType.INT:
            return None if isinstance(value, int) and not isinstance(value, bool) else "A whole number is needed here."
        case AttributeType.NUMBER:
            fits = not isinstance(value, bool | str) and decided_number(value) == value
            return None if fits else f"A number of at most {SIGNIFICANT_DIGITS} digits is needed here."
        case AttributeType.TIME:
            fits = isinstance(value, str) and normal_time(value) == value
            return None if fits else "A time with its offset is needed here, such as 2026-11-20T16:00:00Z."
    if not isinstance(value, str):
        return "A text is needed here."
    if attribute.type is AttributeType.ENUM and value not in attribute.values:
        return f"'{value}' is not one of {', '.join(attribute.values)}.{did_you_mean(value, attribute.values)}"
    return None
