"""Policy cases: named requests with the answer they must get (`policies/cases/*.yaml`)."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from governance.engines.ports import PolicyEngine
from governance.engines.types import EngineRequest, EngineResult, PolicyProgram
from governance.kernel.parsing import parse_object
from governance.rulebook.attributes import AttributeSchema
from governance.rulebook.errors import PolicyFileInvalid
from governance.rulebook.yaml_files import read_yaml, yaml_in

BASE = "base.yaml"
_CASE_KEYS = {"name", "action", "facts", "expect"}
_EXPECT_KEYS = {"effect", "permits", "denies", "reasons", "obligations"}


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """One request and the answer that it must get; what `expect` leaves out is not compared."""

    name: str
    file: str
    action: str
    facts: Mapping[str, object]
    expect: Mapping[str, object]

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of a case: the problem, None when the answer is the expected one, and the rules that matched."""

    case: PolicyCase
    problem: str | None
    matched: tuple[str, ...] = ()


def load_cases(folder: Path, schema: AttributeSchema) -> tuple[PolicyCase, ...]:
    """Return the cases of a folder; each takes the facts of `base.yaml` and changes some, by dotted path.

    `consent.request` follows from action and purpose unless a case sets it. Raises PolicyFileInvalid.
    """
    base = read_yaml(folder / BASE)
    cases: list[PolicyCase] = []
    for path in yaml_in(folder):
        if path.name != BASE:
            cases += _cases(path, base, schema)
    return tuple(cases)


def run_case(case: PolicyCase, *, program: PolicyProgram, engine: PolicyEngine, schema: AttributeSchema) -> CaseResult:
    """Evaluate a case with an engine and compare the answer. Raises EngineUnavailable."""
    incomplete = schema.missing_facts(case.action, case.facts)
    if incomplete:
        return CaseResult(case, f"{case}: {'; '.join(incomplete)}")
    [result] = engine.evaluate(program=program, requests=[EngineRequest(case.action, case.facts)])
    answer = _answer(result)
    wrong = [
        f"{key} should be {_text(case.expect[key])}, not {_text(answer[key])}"
        for key in sorted(case.expect)
        if case.expect[key] != answer[key]
    ]
    problem = f"{case}: {'; '.join(wrong)}" if wrong else None
    return CaseResult(case, problem, (*result.matched_permits, *result.matched_denies))


def _cases(path: Path, base: object, schema: AttributeSchema) -> Iterator[PolicyCase]:
    content = read_yaml(path)
    if not isinstance(content, dict) or set(content) != {"cases"} or not isinstance(content["cases"], list):
        raise PolicyFileInvalid(f"{path.name} must hold a list 'cases' and nothing else.")
    for data in content["cases"]:
        if not isinstance(data, dict) or not {"name", "action", "expect"} <= set(data) <= _CASE_KEYS:
            raise PolicyFileInvalid(f"{path.name}: a case has a name, an action, perhaps facts, and expect.")
        yield _case(path.name, data, base, schema)


def _case(file: str, data: Mapping[str, object], base: object, schema: AttributeSchema) -> PolicyCase:
    name, action, expect = str(data["name"]), str(data["action"]), data["expect"]
    if not isinstance(expect, dict) or "effect" not in expect or set(expect) - _EXPECT_KEYS:
        raise PolicyFileInvalid(f"{file}: {name}: expect an effect, and perhaps {', '.join(sorted(_EXPECT_KEYS))}.")
    try:
        facts = facts_from(base, action=action, changes=parse_object(data.get("facts", {})), schema=schema)
    except ValueError as error:
        raise PolicyFileInvalid(f"{file}: {name}: facts: {error}.") from error
    except KeyError as unknown:
        raise PolicyFileInvalid(f"{file}: {name}: {action} has no fact {unknown.args[0]}.") from unknown
    # An unexpected denial fails the case.
    return PolicyCase(name, file, action, facts, {"denies": [], **expect})


def facts_from(
    base: object, *, action: str, changes: Mapping[str, object], schema: AttributeSchema
) -> dict[str, object]:
    """Return the facts of `action` out of `base`, with some changed by dotted path.

    `consent.request` follows from action and purpose unless it is changed. Raises KeyError for a path that the
    action does not have.
    """
    changes = {"action": action, **changes}
    facts: dict[str, object] = {}
    for attribute in schema.attributes_for(action):
        _put(facts, attribute.path, changes.get(attribute.path, _base_fact(base, attribute.path)))
    for path in changes:
        if schema.get(path) not in schema.attributes_for(action):
            raise KeyError(path)
    consent = facts.get("consent")
    if isinstance(consent, dict) and "request" in consent and "consent.request" not in changes:
        consent["request"] = f"{action}:{facts['purpose']}"
    return facts


def _base_fact(base: object, path: str) -> object:
    value = base
    for segment in path.split("."):
        value = value.get(segment) if isinstance(value, Mapping) else None
    return deepcopy(value)


def _put(facts: dict[str, object], path: str, value: object) -> None:
    *parents, name = path.split(".")
    for segment in parents:
        facts = parse_object(facts.setdefault(segment, {}))
    facts[name] = value


def _answer(result: EngineResult) -> dict[str, object]:
    return {
        "effect": result.effect.value,
        "permits": list(result.matched_permits),
        "denies": list(result.matched_denies),
        "reasons": [reason.code for reason in result.reasons],
        "obligations": [obligation.kind for obligation in result.obligations],
    }


def _text(value: object) -> str:
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)
