"""The checks of a draft before people review it."""

from typing import TypedDict

from governance.engines.errors import EngineUnavailable, ProgramRejected
from governance.engines.ports import PolicyEngine, offline_engine, policy_engine
from governance.engines.types import PolicyProgram
from governance.rulebook.cases import PolicyCase, load_cases, run_case
from governance.rulebook.content import ABAC, build_content, program_of, refuse_custom, rules_of
from governance.rulebook.custom_rego import custom_modules
from governance.rulebook.errors import RuleInvalid
from governance.rulebook.schema import current_schema
from governance.rulebook.validation import checked
from governance.rulebook.yaml_files import POLICIES


class CaseOutcome(TypedDict):
    """How a policy case ends: `outcome` is held, changed or failed; `problem` is empty where it held."""

    name: str
    action: str
    outcome: str
    problem: str


class DraftReport(TypedDict):
    """The engines asked, a sentence for every problem, and how each policy case ends."""

    engines: list[str]
    problems: list[str]
    cases: list[CaseOutcome]


def check_draft_content(*, text: str, digest: str, restores: bool = False) -> DraftReport:
    """Return, as plain JSON, the engines asked, every problem, and how each policy case ends.

    The product's cases must hold for the system rules alone. Where the draft's own rules change the answer of a case,
    that is not a fault, but reviewers see it (`changed`). A draft that `restores` an earlier revision has the system
    rules of its day: what they answer otherwise is shown in the same way.
    """
    program = program_of(text=text, digest=digest)
    engines = {engine.name: engine for engine in (policy_engine.get(), offline_engine.get())}
    problems = [*_rule_problems(text, digest), *_custom_problems(text, digest)]
    for engine in engines.values():
        problems += _engine_problems(engine, program)
    results = _cases(program, _system_program(text, digest), offline_engine.get()) if not problems else []
    for result in results:
        if result["outcome"] == "failed" and restores:
            result["outcome"] = "changed"
    problems += [result["problem"] for result in results if result["outcome"] == "failed"]
    return {"engines": sorted(engines), "problems": problems, "cases": results}


def _rule_problems(text: str, digest: str) -> list[str]:
    problems = []
    for rule in rules_of(text=text, digest=digest):
        try:
            checked(rule.spec, current_schema())
        except RuleInvalid as error:
            problems.append(error.message)
    return problems


def _custom_problems(text: str, digest: str) -> list[str]:
    try:
        refuse_custom(text=text, digest=digest)
    except ProgramRejected as rejected:
        return [str(problem) for problem in rejected.problems]
    return []


def _engine_problems(engine: PolicyEngine, program: PolicyProgram) -> list[str]:
    try:
        engine.check(program=program)
    except ProgramRejected as rejected:
        return [f"{engine.name}: {problem}" for problem in rejected.problems]
    except EngineUnavailable as error:
        return [f"{engine.name}: {error.message}"]
    return []


def _system_program(text: str, digest: str) -> PolicyProgram:
    system = [rule.spec for rule in rules_of(text=text, digest=digest) if rule.origin != ABAC]
    content = build_content(schema=current_schema(), system=system, abac=[], custom=custom_modules())
    return program_of(text=content.text, digest=content.digest)


def _cases(program: PolicyProgram, system: PolicyProgram, engine: PolicyEngine) -> list[CaseOutcome]:
    results: list[CaseOutcome] = []
    for case in load_cases(POLICIES / "cases", current_schema()):
        try:
            alone = run_case(case, program=system, engine=engine, schema=current_schema())
            together = run_case(case, program=program, engine=engine, schema=current_schema())
        except EngineUnavailable as error:
            results.append(_outcome(case, "failed", f"{case}: {error.message}"))
            continue
        problem = alone.problem or together.problem
        results.append(_outcome(case, "failed" if alone.problem else "changed" if problem else "held", problem or ""))
    return results


def _outcome(case: PolicyCase, outcome: str, problem: str) -> CaseOutcome:
    return {"name": case.name, "action": case.action, "outcome": outcome, "problem": problem}
