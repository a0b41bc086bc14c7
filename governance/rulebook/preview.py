"""How the console shows a rule, and what its condition form offers."""

from collections.abc import Sequence

from governance.rulebook.attributes import Attribute, AttributeSchema, AttributeType
from governance.rulebook.compile_rego import compile_rule
from governance.rulebook.conditions import MAX_DEPTH, MAX_NODES, MAX_VALUES
from governance.rulebook.schema import current_schema
from governance.rulebook.sentences import operator_label, sentence
from governance.rulebook.types import Operator, RuleSpec
from governance.rulebook.validation import checked, comparable_attributes

_TAKES = {
    Operator.IN: "values",
    Operator.NOT_IN: "values",
    Operator.INTERSECTS: "values",
    Operator.BETWEEN: "range",
    Operator.EXISTS: "nothing",
}


def describe(spec: RuleSpec) -> str:
    """Return the rule as an English sentence. Raises RuleInvalid when it makes no sense."""
    schema = current_schema()
    return sentence(checked(spec, schema), schema)


def rego_preview(spec: RuleSpec) -> str:
    """Return the Rego that the rule compiles to. Raises RuleInvalid when it makes no sense."""
    schema = current_schema()
    return compile_rule(checked(spec, schema), schema)


def form_schema(actions: Sequence[str]) -> dict[str, object]:
    """Return, as plain JSON, what the condition form may offer for a rule about all of `actions`.

    `groups` hold the attributes that are known for every one of the actions. An operator `takes` a `value`, `values`
    (a list), a `range` (two values) or `nothing`; `others` are the attributes that may stand in the value's place.
    """
    schema = current_schema()
    groups: dict[str, list[dict[str, object]]] = {}
    for attribute in schema.attributes.values():
        if attribute.actions.issuperset(actions):
            groups.setdefault(attribute.group, []).append(_attribute(attribute, actions, schema))
    return {
        "groups": [{"name": name, "attributes": attributes} for name, attributes in groups.items()],
        "limits": {"depth": MAX_DEPTH, "parts": MAX_NODES, "values": MAX_VALUES},
    }


def _attribute(attribute: Attribute, actions: Sequence[str], schema: AttributeSchema) -> dict[str, object]:
    return {
        "path": attribute.path,
        "label": attribute.label,
        "help": attribute.help,
        "type": attribute.type.value,
        "nullable": attribute.nullable,
        "values": _choices(attribute),
        "operators": [
            {
                "value": op.value,
                "label": operator_label(attribute, op),
                "takes": _TAKES.get(op, "value"),
                "others": [
                    {"path": other.path, "label": other.label}
                    for other in comparable_attributes(attribute, op, actions, schema)
                ],
            }
            for op in attribute.operators
        ],
    }


def _choices(attribute: Attribute) -> list[dict[str, object]]:
    if attribute.type is AttributeType.BOOL:
        return [{"value": True, "label": attribute.when_true}, {"value": False, "label": attribute.when_false}]
    return [{"value": value, "label": value.replace("_", " ")} for value in attribute.values]
