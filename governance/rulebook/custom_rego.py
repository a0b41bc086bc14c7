"""Hand-written Rego: what it may be, and how it becomes part of a revision.

A module is `policies/rego/assent/<action as folders>/<name>.rego`, in the package of that action, with `<name>.yaml`
beside it that says what its rules mean: a list `rules`, each with id, effect, reason_code, message and perhaps
obligations. It may add permits and denies, and nothing else: `problems_of` checks that.
An action with such a module is decided by the Rego engines only, and is in no query for permitted sets.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from governance.engines.builtins import check_module
from governance.engines.errors import ProgramProblem, ProgramRejected
from governance.engines.rego_source import Token, statements
from governance.engines.types import PACKAGE_ROOT, RuleMeta, package_of
from governance.rulebook.attributes import AttributeSchema
from governance.rulebook.errors import FieldError, PolicyFileInvalid, RuleInvalid
from governance.rulebook.rules import obligations_json, parse_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.types import CustomModuleJson, RuleMetaJson
from governance.rulebook.yaml_files import POLICIES, read_yaml

FOLDER = "rego"
_MEANING = {"id", "effect", "reason_code", "message", "obligations"}
_OWN = frozenset({"permit", "deny", "effect", "decision", "data"})


@dataclass(frozen=True, slots=True)
class CustomModule:
    """A hand-written module: the action it adds to, its Rego, and what each of its rules means, by id."""

    name: str
    action: str
    source: str
    rules: Mapping[str, RuleMeta]

    @property
    def helper_prefix(self) -> str:
        """What the names of its helper rules begin with, so that no two modules share a name."""
        return f"custom_{self.name}"


def load_custom(folder: Path, schema: AttributeSchema) -> tuple[CustomModule, ...]:
    """Return the modules of a folder, by action and name.

    Raises PolicyFileInvalid or RuleInvalid for a file, ProgramRejected when a module breaks the contract.
    """
    modules = [
        _load(folder, path, schema) for path in sorted(folder.rglob("*.rego")) if not path.stem.endswith("_test")
    ]
    problems = [problem for module in modules for problem in problems_of(module)]
    if problems:
        raise ProgramRejected(problems)
    return tuple(sorted(modules, key=lambda module: (module.action, module.name)))


@cache
def custom_modules() -> tuple[CustomModule, ...]:
    """Return the modules of `policies/rego`, read once in this process."""
    return load_custom(POLICIES / FOLDER, current_schema())


def problems_of(module: CustomModule) -> list[ProgramProblem]:
    """Return what breaks the contract, in order of lines; nothing where the module may be used.

    The package is the action's. Every other statement is `permit contains "id"` or `deny contains "id"` with an id of
    that effect from the YAML file, or a helper whose name begins with `custom_<name>`. No statement reads what the
    package decides, nor `data`. Functions are those of the allow-list.
    """
    found = check_module(module=module.name, source=module.source)
    found += [ProgramProblem(module.name, line, sentence) for line, sentence in _breaches(module)]
    return sorted(found, key=lambda problem: problem.line)


def with_custom(compiled: str, modules: Sequence[CustomModule]) -> str:
    """Return an action's compiled module with hand-written ones added to it."""
    for effect in {meta.effect for module in modules for meta in module.rules.values()}:
        compiled = compiled.replace(f"{effect} := set()\n\n", "", 1)  # no longer empty
    return "\n".join([compiled, *(_body(module) for module in modules)])


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


def _breaches(module: CustomModule) -> Iterator[tuple[int, str]]:
    package, *rest = statements(module.source) or [()]
    if _text(package) != f"package {' . '.join(package_of(module.action).split('.'))}":
        yield 1, f"the module must begin with 'package {package_of(module.action)}'"
    defined = set()
    for statement in rest:
        rule_id = _added(statement, module)
        if rule_id:
            defined.add(rule_id)
        elif not statement[0].text.startswith(module.helper_prefix):
            sentence = "a module adds permits and denies that its YAML file lists, or helpers named "
            yield statement[0].line, f"{sentence}{module.helper_prefix}..."
        yield from _reading(statement)
    yield from ((0, f"nothing adds the rule '{rule_id}'") for rule_id in sorted(set(module.rules) - defined))


def _added(statement: Sequence[Token], module: CustomModule) -> str | None:
    """Return the id of the rule that a statement adds, if it is one that the module may add."""
    if len(statement) < 4 or statement[1].text != "contains" or statement[3].text != "if":
        return None
    rule_id = statement[2].text.strip('"')
    meta = module.rules.get(rule_id)
    return rule_id if meta is not None and statement[0].text == meta.effect.value else None


def _reading(statement: Sequence[Token]) -> Iterator[tuple[int, str]]:
    for before, token in pairwise(statement):
        if token.kind == "name" and token.text in _OWN and before.text != ".":
            yield token.line, f"a module may not read '{token.text}'"


def _body(module: CustomModule) -> str:
    lines = module.source.splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.startswith("package "))
    return "".join(lines[:start] + lines[start + 1 :]).strip("\n") + "\n"


def _text(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens)
