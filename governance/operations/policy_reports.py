"""What `manage.py policy` prints: cases, differences and explanations as lines of text."""

import json
from collections.abc import Iterable, Iterator, Mapping

from governance.engines.ports import PolicyEngine
from governance.engines.types import EngineRequest
from governance.kernel.canonical import Json
from governance.kernel.errors import InvalidInput
from governance.rulebook.cases import load_cases, run_case
from governance.rulebook.content import RevisionContent, RevisionRule, program_of
from governance.rulebook.diff import RevisionDiff
from governance.rulebook.explain import RuleExplanation, explain
from governance.rulebook.schema import current_schema, missing_facts
from governance.rulebook.yaml_files import POLICIES


class CommandRefused(InvalidInput):
    """The arguments of the command make no sense."""

    code = "command_refused"


def case_lines(*, content: RevisionContent, engine: PolicyEngine) -> Iterator[tuple[bool, str]]:
    """Yield whether each policy case holds on an engine, and a line that says so."""
    program = program_of(text=content.text, digest=content.digest)
    for case in load_cases(POLICIES / "cases", current_schema()):
        result = run_case(case, program=program, engine=engine, schema=current_schema())
        outcome = "FAILED" if result.problem else "ok    "
        yield result.problem is None, f"{engine.name:<7} {outcome} {result.problem or case}"


def diff_lines(diff: RevisionDiff, *, rego: bool) -> Iterator[str]:
    """Yield the differences rule by rule, as sentences and conditions; with `rego` also module by module."""
    for change in diff.rules:
        yield f"{change.kind}: {change.rule_id} ({change.rule.origin})"
        yield from (f"  - {line}" for line in filter(None, [change.sentence_before]))
        yield from (f"  + {line}" for line in filter(None, [change.sentence_after]))
        yield from (f"      {line}" for line in change.condition_lines)
    for module in diff.modules if rego else ():
        yield f"module {module.action}"
        yield from (f"  {line}" for line in module.lines)


def diff_json(diff: RevisionDiff) -> dict[str, Json]:
    """Return the differences as plain JSON."""
    return {
        "rules": [
            {
                "id": change.rule_id,
                "kind": str(change.kind),
                "origin": change.rule.origin,
                "before": change.sentence_before,
                "after": change.sentence_after,
                "condition": [*change.condition_lines],
            }
            for change in diff.rules
        ],
        "modules": [{"action": module.action, "lines": [*module.lines]} for module in diff.modules],
    }


def explanation_lines(
    *, content: RevisionContent, rules: Iterable[RevisionRule], question: Mapping[str, object], engine: PolicyEngine
) -> Iterator[str]:
    """Yield the answer to a question `{action, facts}` and the outcome of every rule about the action.

    Raises CommandRefused when facts are missing, EngineUnavailable.
    """
    action, facts = _question(question)
    program = program_of(text=content.text, digest=content.digest)
    [result] = engine.evaluate(program=program, requests=[EngineRequest(action, facts)])
    yield f"{result.effect} ({action})"
    yield from (f"  {reason.message} ({reason.code})" for reason in result.reasons)
    yield from (_explained(each) for each in explain(rules=rules, action=action, facts=facts))


def _question(question: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
    action, facts = question.get("action"), question.get("facts")
    if not isinstance(action, str) or not isinstance(facts, Mapping):
        raise CommandRefused('A question is JSON such as {"action": "asset.infer", "facts": {...}}.')
    missing = missing_facts(action, facts)
    if missing:
        raise CommandRefused("; ".join(missing))
    return action, facts


def _explained(rule: RuleExplanation) -> str:
    if rule.failed is None:
        return f"  matched      {rule.effect:<6} {rule.rule_id}"
    seen = ", ".join(f"{each.path} = {json.dumps(each.value)}" for each in rule.failed.seen)
    return f"  not matched  {rule.effect:<6} {rule.rule_id}: {rule.failed.sentence} ({seen})"
