"""Reads and writes whole rules: the JSON form, and the system rules under `policies/rules/`."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from governance.engines.types import Effect, Obligation, RuleMeta
from governance.kernel.texts import did_you_mean
from governance.rulebook.attributes import AttributeSchema, expand_actions
from governance.rulebook.conditions import condition_json, parse_condition
from governance.rulebook.errors import FieldError, PolicyFileInvalid, RuleInvalid
from governance.rulebook.schema import current_schema
from governance.rulebook.types import ObligationJson, RuleJson, RuleMetaJson, RuleSpec
from governance.rulebook.validation import checked
from governance.rulebook.yaml_files import POLICIES, read_yaml, yaml_in

_REQUIRED = ("id", "effect", "actions", "condition", "reason_code", "message")
_KEYS = {*_REQUIRED, "obligations"}


def parse_rule(data: object, schema: AttributeSchema) -> RuleSpec:
    """Return the checked rule that plain JSON data describes.

    `actions` may hold patterns such as `asset.*`. Raises RuleInvalid naming the fields that are wrong.
    """
    if not isinstance(data, Mapping):
        raise RuleInvalid([FieldError("rule", "A rule is an object.")])
    rule_id = str(data.get("id", ""))
    errors = [FieldError(key, "This is needed.") for key in _REQUIRED if key not in data]
    errors += [
        FieldError(str(key), f"A rule has no such field.{did_you_mean(str(key), _KEYS)}")
        for key in data
        if key not in _KEYS
    ]
    errors += [
        FieldError(key, "A text is needed here.")
        for key in ("id", "reason_code", "message")
        if not isinstance(data.get(key, ""), str)
    ]
    if errors:
        raise RuleInvalid(errors, rule_id=rule_id)
    try:
        spec = RuleSpec(
            id=rule_id,
            effect=_effect(data["effect"]),
            actions=_actions(data["actions"]),
            condition=parse_condition(data["condition"]),
            reason_code=data["reason_code"],
            message=data["message"],
            obligations=_obligations(data.get("obligations", [])),
        )
    except RuleInvalid as invalid:
        raise RuleInvalid(invalid.errors, rule_id=rule_id) from invalid
    return checked(spec, schema)


def rule_json(spec: RuleSpec) -> RuleJson:
    """Return the plain JSON form of a rule; `parse_rule` gives the same rule back."""
    return {
        "id": spec.id,
        "effect": spec.effect.value,
        "actions": list(spec.actions),
        "condition": condition_json(spec.condition),
        "reason_code": spec.reason_code,
        "message": spec.message,
        "obligations": obligations_json(spec.obligations),
    }


def obligations_json(obligations: Sequence[Obligation]) -> list[ObligationJson]:
    """Return the plain JSON form of obligations."""
    return [{"kind": item.kind, "parameters": dict(item.parameters)} for item in obligations]


def meta_of(data: RuleMetaJson) -> RuleMeta:
    """Return what a rule means, from its JSON form in a revision."""
    return RuleMeta(
        effect=Effect(data["effect"]),
        reason_code=data["reason_code"],
        message=data["message"],
        obligations=obligations_of(data),
    )


def obligations_of(data: RuleMetaJson) -> tuple[Obligation, ...]:
    """Return the obligations of a rule, from its JSON form in a revision."""
    return tuple(Obligation(item["kind"], item["parameters"]) for item in data["obligations"])


def load_rules(folder: Path, schema: AttributeSchema) -> tuple[RuleSpec, ...]:
    """Return the rules in the YAML files of a folder, by id.

    Raises PolicyFileInvalid when a file is no list of rules, or RuleInvalid, which names the rule and the field.
    """
    rules: dict[str, RuleSpec] = {}
    for path in yaml_in(folder):
        content = read_yaml(path)
        if not isinstance(content, dict) or set(content) != {"rules"} or not isinstance(content["rules"], list):
            raise PolicyFileInvalid(f"{path.name} must hold a list 'rules' and nothing else.")
        for data in content["rules"]:
            spec = parse_rule(data, schema)
            if spec.id in rules:
                raise PolicyFileInvalid(f"{path.name}: there are two rules '{spec.id}'.")
            rules[spec.id] = spec
    return tuple(rules[rule_id] for rule_id in sorted(rules))


@cache
def system_rules() -> tuple[RuleSpec, ...]:
    """Return the rules of `policies/rules/`, read once in this process."""
    return load_rules(POLICIES / "rules", current_schema())


def _effect(data: object) -> Effect:
    if data not in ("permit", "deny"):
        raise RuleInvalid([FieldError("effect", "The effect is 'permit' or 'deny'.")])
    return Effect(data)


def _actions(data: object) -> tuple[str, ...]:
    if not isinstance(data, list | tuple) or not all(isinstance(item, str) for item in data):
        raise RuleInvalid([FieldError("actions", "A list of actions is needed here.")])
    try:
        return tuple(sorted(expand_actions(data)))
    except ValueError as error:
        raise RuleInvalid([FieldError("actions", str(error))]) from error


def _obligations(data: object) -> tuple[Obligation, ...]:
    if not isinstance(data, list | tuple):
        raise RuleInvalid([FieldError("obligations", "A list of obligations is needed here.")])
    return tuple(_obligation(item, index) for index, item in enumerate(data))


def _obligation(data: object, index: int) -> Obligation:
    if not isinstance(data, Mapping) or not {"kind"} <= set(data) <= {"kind", "parameters"}:
        raise RuleInvalid([FieldError(f"obligations[{index}]", "An obligation has a kind and perhaps parameters.")])
    kind, parameters = data["kind"], data.get("parameters", {})
    if not isinstance(kind, str) or not isinstance(parameters, Mapping):
        raise RuleInvalid([FieldError(f"obligations[{index}]", "The kind is a text, the parameters are an object.")])
    return Obligation(kind, dict(parameters))
