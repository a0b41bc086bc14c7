"""Compiles rules to Casbin: one model, and a policy line for each rule of each action.

The condition stays in its JSON form and is read by the function `holds` in the matcher. Casbin's own `eval()` of text
in policy lines would not do: it rewrites `&&`, `!`, `r.` and `p.` also within quoted values.
"""

from collections.abc import Iterable

from governance.engines.types import CasbinModule, Effect
from governance.kernel.canonical import canonical_json
from governance.rulebook.conditions import condition_json
from governance.rulebook.types import RuleSpec

MODEL = """\
[request_definition]
r = action, facts

[policy_definition]
p = action, rule, condition, eft

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = r.action == p.action && holds(p.rule, p.condition, r.facts)
"""
_EFFECTS = {Effect.PERMIT: "allow", Effect.DENY: "deny"}


def compile_casbin(action: str, specs: Iterable[RuleSpec]) -> CasbinModule:
    """Return the Casbin module that decides `action` by these rules, which must have been checked."""
    lines = {
        spec.id: (action, spec.id, canonical_json(condition_json(spec.condition)).decode(), _EFFECTS[spec.effect])
        for spec in specs
    }
    return CasbinModule(model=MODEL, lines=lines)
