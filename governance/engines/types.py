"""The input and output of policy engines, in types that belong to no engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from governance.engines.rego_modules import ModuleParts
from governance.engines.rule_index import RuleIndex
from governance.kernel.canonical import Json

PACKAGE_ROOT = "assent"


class Effect(StrEnum):
    """The two answers of a policy decision (XACML 3.0 section 3.1.1)."""

    PERMIT = "permit"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something the enforcement point must carry out when it acts on a permit."""

    kind: str
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the answer is a denial: a stable code, a sentence for people, and the rule that denied, if one did."""

    code: str
    message: str
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class RuleMeta:
    """What follows when a rule matches. `message` may hold `{attribute.path}` placeholders."""

    effect: Effect
    reason_code: str
    message: str
    obligations: tuple[Obligation, ...] = ()


@dataclass(frozen=True, slots=True)
class CasbinModule:
    """What decides one action in Casbin: the model's text, and the policy line (action, rule, condition, eft) by rule.

    A condition is in its JSON form.
    """

    model: str
    lines: Mapping[str, tuple[str, str, str, str]]


@dataclass(frozen=True, slots=True)
class PolicyProgram:
    """One policy revision, ready to run: a Rego module for each action, and what its rules mean.

    `revision` is the digest of the revision's content: equal digests mean equal programs, and engines cache by it. The
    rest follows from the content. The modules of the actions in `custom` hold hand-written rules. An action is in
    `casbin`, `parts` and `index` only where its module is nothing but compiled rules: `parts` are the module taken
    apart, `index` finds the rules that can concern a request.
    """

    revision: str
    modules: Mapping[str, str]
    rules: Mapping[str, RuleMeta]
    casbin: Mapping[str, CasbinModule] = field(default_factory=dict)
    parts: Mapping[str, ModuleParts] = field(default_factory=dict)
    index: Mapping[str, RuleIndex] = field(default_factory=dict)
    custom: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """One question: may `action` happen, given these facts (nested by dotted path)?"""

    action: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EngineResult:
    """One answer. Rule ids are sorted; `obligations` are those of the permits, `reasons` those of the denial."""

    effect: Effect
    matched_permits: tuple[str, ...]
    matched_denies: tuple[str, ...]
    obligations: tuple[Obligation, ...]
    reasons: tuple[Reason, ...]


def package_of(action: str) -> str:
    """Return the Rego package that decides `action`, such as `assent.asset.infer`."""
    return f"{PACKAGE_ROOT}.{action}"
