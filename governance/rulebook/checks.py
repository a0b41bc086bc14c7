"""Checks everything under `policies/`: schema, rules, compilation, built-ins, cases."""

from dataclasses import dataclass
from pathlib import Path

from governance.engines.errors import ProgramRejected
from governance.engines.ports import PolicyEngine
from governance.engines.types import PolicyProgram
from governance.kernel.errors import GovernanceError
from governance.rulebook.attributes import AttributeSchema
from governance.rulebook.cases import load_cases, run_case
from governance.rulebook.content import build_content, program_of
from governance.rulebook.custom_rego import FOLDER, load_custom
from governance.rulebook.rules import load_rules
from governance.rulebook.schema import load_schema


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """How much was checked, and a sentence for everything that is wrong."""

    rules: int
    cases: int
    problems: tuple[str, ...]


def check_policies(*, folder: Path, engine: PolicyEngine) -> PolicyReport:
    """Check the policies in a folder with one engine; nothing is stored. A problem never raises."""
    try:
        schema = load_schema(folder / "schema.yaml")
        rules = load_rules(folder / "rules", schema)
        custom = load_custom(folder / FOLDER, schema)
        content = build_content(schema=schema, system=rules, abac=[], custom=custom)
        program = program_of(text=content.text, digest=content.digest)
        engine.check(program=program)
        return _run_cases(folder / "cases", schema, program, engine)
    except ProgramRejected as rejected:
        return PolicyReport(0, 0, tuple(str(problem) for problem in rejected.problems))
    except GovernanceError as error:
        return PolicyReport(0, 0, (error.message,))


def _run_cases(folder: Path, schema: AttributeSchema, program: PolicyProgram, engine: PolicyEngine) -> PolicyReport:
    cases = load_cases(folder, schema)
    results = [run_case(case, program=program, engine=engine, schema=schema) for case in cases]
    problems = [result.problem for result in results if result.problem is not None]
    seen = {rule_id for result in results for rule_id in result.matched}
    problems += [f"No case matches the rule '{rule_id}'." for rule_id in sorted(set(program.rules) - seen)]
    return PolicyReport(len(program.rules), len(cases), tuple(problems))
