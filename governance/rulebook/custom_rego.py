"""Hand-written Rego: what it may be, and how it becomes part of a revision.

A module is `policies/rego/assent/<action as folders>/<name>.rego`, in the package of that action, with `<name>.yaml`
beside it that says what its rules mean: a list `rules`, each with id, effect, reason_code, message and perhaps
obligations. It may add permits and denies, and nothing else: `custom_contract` checks that.
An action with such a module is decided by the Rego engines only, and is in no query for permitted sets.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from governance.engines.errors import ProgramRejected
from governance.engines.types import PACKAGE_ROOT, RuleMeta
from governance.rulebook.attributes import AttributeSchema
from governance.rulebook.custom_contract import CustomModule, problems_of, refuse_other_meaning, shared_names
from governance.rulebook.errors import FieldError, PolicyFileInvalid, RuleInvalid
from governance.rulebook.rules import meta_of, obligations_json, parse_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.types import ContentJson, CustomModuleJson, RuleMetaJson
from governance.rulebook.yaml_files import POLICIES, read_yaml

FOLDER = "rego"
_MEANING = {"id", "effect", "reason_code", "message", "obligations"}


def load_custom(folder: Path, schema: AttributeSchema) -> tuple[CustomModule, ...]:
    """Return the modules of a folder, by action and name.

    Raises PolicyFileInvalid or RuleInvalid for a file, ProgramRejected when a module breaks the contract.
    """
    modules = [
        _load(folder, path, schema) for path in sorted(folder.rglob("*.rego")) if not path.stem.endswith("_test")
    ]
    refuse_problems(modules)
    return tuple(sorted(modules, key=lambda module: (module.action, module.name)))


def refuse_problems(modules: Sequence[CustomModule]) -> None:
    """Raise ProgramRejected where a module breaks the contract, or two of one action have a helper of one name."""
    problems = [problem for module in modules for problem in problems_of(module)] or shared_names(modules)
    if problems:
        raise ProgramRejected(problems)


@cache
def custom_modules() -> tuple[CustomModule, ...]:
    """Return the modules of `policies/rego`, read once in this process."""
    return load_custom(POLICIES / FOLDER, current_schema())


def with_custom(compiled: str, modules: Sequence[CustomModule]) -> str:
    """Return an action's compiled module with checked hand-written ones added to it.

    Raises ProgramRejected when they are not the same rules behind what every compiled module ends with.
    """
    for module in modules:
        refuse_other_meaning(module)
    for effect in {meta.effect for module in modules for meta in module.rules.values()}:
        compiled = compiled.replace(f"{effect} := set()\n\n", "", 1)  # no longer empty
    return "\n".join([compiled, *(module.body for module in modules)])


def custom_json(module: CustomModule) -> CustomModuleJson:
    """Return the plain JSON form in which a revision holds a module."""
    rules: list[RuleMetaJson] = [
        {
            "id": rule_id,
            "effect": meta.effect.value,
            "reason_code": meta.reason_code,
            "message": meta.message,
            "obligations": obligations_json(meta.obligations),
        }
        for rule_id, meta in sorted(module.rules.items())
    ]
    return {"name": module.name, "action": module.action, "source": module.source, "rules": rules}


def _load(folder: Path, path: Path, schema: AttributeSchema) -> CustomModule:
    root, *parts = path.relative_to(folder).parent.parts or ("",)
    name, action = path.stem, ".".join(parts)
    if root != PACKAGE_ROOT or not name.isidentifier():
        raise PolicyFileInvalid(f"{path.name}: a module is at rego/{PACKAGE_ROOT}/<action as folders>/<name>.rego.")
    content = read_yaml(path.with_suffix(".yaml"))
    if not isinstance(content, dict) or set(content) != {"rules"} or not isinstance(content["rules"], list):
        raise PolicyFileInvalid(f"{name}.yaml must hold a list 'rules' and nothing else.")
    rules: dict[str, RuleMeta] = {}
    for data in content["rules"]:
        rule_id, meta = _meaning(data, action, schema)
        if rule_id in rules:
            raise RuleInvalid([FieldError("id", "Another rule has this id.")], rule_id=rule_id)
        rules[rule_id] = meta
    return CustomModule(name, action, path.read_text(encoding="utf-8"), rules)


def _meaning(data: object, action: str, schema: AttributeSchema) -> tuple[str, RuleMeta]:
    """Return id and meaning of a rule whose condition is the Rego. Raises RuleInvalid."""
    if not isinstance(data, Mapping) or set(data) - _MEANING:
        raise RuleInvalid([FieldError("rule", f"A rule of a module has {', '.join(sorted(_MEANING))} and no more.")])
    condition = {"attr": "action", "op": "eq", "value": action}
    spec = parse_rule({**data, "actions": [action], "condition": condition}, schema)
    return spec.id, RuleMeta(spec.effect, spec.reason_code, spec.message, spec.obligations)


def custom_of(content: ContentJson) -> list[CustomModule]:
    """Return the hand-written modules that a revision holds, unchecked."""
    return [
        CustomModule(
            data["name"], data["action"], data["source"], {rule["id"]: meta_of(rule) for rule in data["rules"]}
        )
        for data in content.get("custom", [])
    ]
