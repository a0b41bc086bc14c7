"""The content of a policy revision: what is in it, its digest, and the program that engines run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import cast

from governance.engines.rego_modules import split_module
from governance.engines.types import Effect, PolicyProgram, RuleMeta
from governance.kernel.canonical import canonical_json, sha256_hex
from governance.kernel.errors import GovernanceError
from governance.kernel.json_reading import read_json
from governance.rulebook.attributes import AttributeSchema
from governance.rulebook.compile_casbin import compile_casbin
from governance.rulebook.compile_index import compile_index
from governance.rulebook.compile_rego import compile_modules
from governance.rulebook.conditions import parse_condition
from governance.rulebook.custom_contract import CustomModule
from governance.rulebook.custom_rego import custom_json, custom_of, refuse_problems, with_custom
from governance.rulebook.errors import FieldError, RevisionCorrupt, RuleInvalid
from governance.rulebook.rules import meta_of, obligations_of, rule_json
from governance.rulebook.types import ContentJson, RuleJson, RuleSpec

FORMAT = 1
SYSTEM, ABAC = "system", "abac"


@dataclass(frozen=True, slots=True)
class RevisionContent:
    """A revision's canonical JSON text (RFC 8785), the SHA-256 of it, and the number of rules in it."""

    text: str
    digest: str
    rule_count: int


@dataclass(frozen=True, slots=True)
class RevisionRule:
    """A rule as a revision holds it; `origin` is `system` (from git) or `abac` (from the console)."""

    origin: str
    spec: RuleSpec


def build_content(
    *,
    schema: AttributeSchema,
    system: Sequence[RuleSpec],
    abac: Sequence[RuleSpec],
    custom: Sequence[CustomModule] = (),
) -> RevisionContent:
    """Return the content made of checked rules and modules. Raises RuleInvalid when two rules have the same id."""
    rules = sorted(
        [*(RevisionRule(SYSTEM, spec) for spec in system), *(RevisionRule(ABAC, spec) for spec in abac)],
        key=lambda rule: rule.spec.id,
    )
    ids = sorted([*(rule.spec.id for rule in rules), *(rule_id for module in custom for rule_id in module.rules)])
    for rule_id, following in pairwise(ids):
        if rule_id == following:
            raise RuleInvalid([FieldError("id", "Another rule has this id.")], rule_id=rule_id)
    content: ContentJson = {
        "format": FORMAT,
        "schema": schema.digest,
        "rules": [{**rule_json(rule.spec), "origin": rule.origin} for rule in rules],
        "modules": compile_modules((rule.spec for rule in rules), schema),
    }
    if custom:
        content["custom"] = [custom_json(module) for module in custom]
        for action in {module.action for module in custom}:
            added = [module for module in custom if module.action == action]
            content["modules"][action] = with_custom(content["modules"][action], added)
    data = canonical_json(content)
    return RevisionContent(text=data.decode(), digest=sha256_hex(data), rule_count=len(ids))


def program_of(*, text: str, digest: str) -> PolicyProgram:
    """Return the program in a revision's content. Raises RevisionCorrupt when the digest is not that of the text."""
    content = _read(text, digest)
    try:
        modules = {str(action): str(source) for action, source in content["modules"].items()}
        rules = {str(data["id"]): meta_of(data) for data in content["rules"]}
        for data in content.get("custom", []):
            rules |= {str(rule["id"]): meta_of(rule) for rule in data["rules"]}
        specs = [_spec(data) for data in content["rules"]]
    except (LookupError, TypeError, ValueError, AttributeError, GovernanceError) as error:
        raise RevisionCorrupt(f"Revision {digest} does not hold what a revision holds: {error}") from error
    return program_from(revision=digest, modules=modules, rules=rules, specs=specs)


def program_from(
    *, revision: str, modules: Mapping[str, str], rules: Mapping[str, RuleMeta], specs: Sequence[RuleSpec]
) -> PolicyProgram:
    """Return the program of these modules, with what follows from the rules that were compiled into them.

    An action whose module has more than compiled rules is run whole, and by the Rego engines only.
    """
    by_action = {action: [spec for spec in specs if action in spec.actions] for action in modules}
    parts = {
        action: split
        for action, source in modules.items()
        if (split := split_module(source)) and split.ids == tuple(sorted(spec.id for spec in by_action[action]))
    }
    return PolicyProgram(
        revision=revision,
        modules=MappingProxyType(dict(modules)),
        rules=MappingProxyType(dict(rules)),
        casbin=MappingProxyType({action: compile_casbin(action, by_action[action]) for action in parts}),
        parts=MappingProxyType(parts),
        index=MappingProxyType({action: compile_index(by_action[action]) for action in parts}),
        custom=frozenset(modules) - frozenset(parts),
    )


def rules_of(*, text: str, digest: str) -> tuple[RevisionRule, ...]:
    """Return the rules in a revision's content, by id, unchecked against the present schema. Raises RevisionCorrupt."""
    content = _read(text, digest)
    try:
        return tuple(RevisionRule(data["origin"], _spec(data)) for data in content["rules"])
    except (LookupError, TypeError, ValueError, GovernanceError) as error:
        raise RevisionCorrupt(f"Revision {digest} does not hold what a revision holds: {error}") from error


def custom_meanings(*, text: str, digest: str) -> dict[str, str]:
    """Return what the rules of each hand-written module mean, as JSON text. Raises RevisionCorrupt."""
    return {
        f"{data['action']}, what the rules of {data['name']} mean": json.dumps(data["rules"], indent=2, sort_keys=True)
        for data in _read(text, digest).get("custom", [])
    }


def refuse_custom(*, text: str, digest: str) -> None:
    """Raise ProgramRejected where a hand-written module in a revision's content breaks the contract of today.

    Raises RevisionCorrupt when the digest is not that of the text.
    """
    refuse_problems(custom_of(_read(text, digest)))


def _read(text: str, digest: str) -> ContentJson:
    if sha256_hex(text.encode()) != digest:
        raise RevisionCorrupt(f"The content of revision {digest} has another digest.")
    content = read_json(text)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RevisionCorrupt(f"The content of revision {digest} is in a format that this version does not read.")
    # The digest vouches for the rest: only this program writes what is stored under it.
    return cast("ContentJson", content)


def _spec(data: RuleJson) -> RuleSpec:
    return RuleSpec(
        id=data["id"],
        effect=Effect(data["effect"]),
        actions=tuple(data["actions"]),
        condition=parse_condition(data["condition"]),
        reason_code=data["reason_code"],
        message=data["message"],
        obligations=obligations_of(data),
    )
