"""The embedded Rego engine."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from regopy import Interpreter

from governance.engines import rego_programs
from governance.engines.errors import EngineUnavailable, ProgramRejected
from governance.engines.ports import PolicyEngine, policy_engine
from governance.engines.rego import RegoEngine
from governance.engines.types import Effect, EngineRequest, EngineResult, PolicyProgram, RuleMeta, package_of
from governance.rulebook.content import build_content, program_of
from governance.rulebook.schema import current_schema
from governance.rulebook.types import Compare, Operator
from tests.factories.rulebook import permitted_facts, rule

RULES = {
    "open": RuleMeta(Effect.PERMIT, "open", "Open."),
    "blocked": RuleMeta(Effect.DENY, "blocked", "Blocked in {region}."),
}
ENDING = """
default effect := "deny"

effect := "permit" if {
	count(permit) > 0
	count(deny) == 0
}

decision := {"denies": deny, "effect": effect, "permits": permit}
"""
OPEN = 'permit contains "open" if input.open == true\n\ndeny contains "blocked" if input.region in {"DE", "FR"}\n'


def module(body: str, action: str = "asset.infer") -> str:
    return f"package {package_of(action)}\n\n{body}"


def program(source: str, *, revision: str = "r1") -> PolicyProgram:
    return PolicyProgram(revision=revision, modules={"asset.infer": source}, rules=RULES)


def ask(engine: PolicyEngine, source: str, facts: dict[str, Any] | None = None, revision: str = "r1") -> EngineResult:
    request = EngineRequest("asset.infer", {"open": True, "region": "US"} if facts is None else facts)
    return engine.evaluate(program=program(source, revision=revision), requests=[request])[0]


class CountingInterpreter(Interpreter):
    """Counts how many interpreters were made."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).made += 1


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[CountingInterpreter]:
    monkeypatch.setattr(CountingInterpreter, "made", 0)
    monkeypatch.setattr(rego_programs, "Interpreter", CountingInterpreter)
    return CountingInterpreter


@pytest.mark.parametrize(
    ("facts", "effect", "permits", "denies"),
    [
        ({"open": True, "region": "US"}, Effect.PERMIT, ("open",), ()),
        ({"open": True, "region": "DE"}, Effect.DENY, ("open",), ("blocked",)),
        ({"open": False, "region": "DE"}, Effect.DENY, (), ("blocked",)),
        ({"open": False, "region": "US"}, Effect.DENY, (), ()),
    ],
)
def test_deny_overrides_and_deny_is_the_default(
    facts: dict[str, Any], effect: Effect, permits: tuple[str, ...], denies: tuple[str, ...]
) -> None:
    result = ask(RegoEngine(), module(OPEN + ENDING), facts)

    assert (result.effect, result.matched_permits, result.matched_denies) == (effect, permits, denies)


def test_answers_come_in_the_order_of_the_requests() -> None:
    requests = [EngineRequest("asset.infer", {"open": True, "region": region}) for region in ("DE", "US", "FR")]

    results = RegoEngine().evaluate(program=program(module(OPEN + ENDING)), requests=requests)

    assert [result.effect for result in results] == [Effect.DENY, Effect.PERMIT, Effect.DENY]
    assert results[0].reasons[0].message == "Blocked in DE."


def test_an_action_without_a_module_is_denied() -> None:
    request = EngineRequest("asset.melt", {})

    [result] = RegoEngine().evaluate(program=program(module(OPEN + ENDING)), requests=[request])

    assert (result.effect, result.reasons[0].code) == (Effect.DENY, "action_unknown")


def test_a_missing_fact_that_a_rule_reads_is_a_denial() -> None:
    result = ask(RegoEngine(), module(OPEN + ENDING), {"open": True})

    assert (result.effect, result.reasons[0].code) == (Effect.DENY, "facts_incomplete")
    assert "region" in result.reasons[0].message


@pytest.mark.parametrize(
    "body",
    [
        "decision := 1\n",
        "decision := 1 if input.open == false\n",
        "decision := 1\n\ndecision := 2\n",
        'decision := max("a")\n',
        "other := 1\n",
        "decision := nosuch(1)\n",
        "decision := {\n",
        'permit contains "stranger" if input.open\n\ndeny := set()\n' + ENDING,
    ],
    ids=["shape", "undefined", "conflict", "builtin error", "no entrypoint", "unknown call", "syntax", "unknown rule"],
)
def test_a_malformed_decision_is_an_error(body: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EngineUnavailable) as unavailable:
        ask(RegoEngine(), module(body))

    assert unavailable.value.error_code == "engine_unavailable"


def test_facts_that_cannot_be_represented_are_an_error() -> None:
    with pytest.raises(EngineUnavailable, match=r"could not decide asset\.infer"):
        ask(RegoEngine(), module(OPEN + ENDING), {"open": True, "region": object()})


def test_two_programs_with_one_digest_are_an_error() -> None:
    engine = RegoEngine()
    ask(engine, module(OPEN + ENDING))

    with pytest.raises(EngineUnavailable, match="claim to be revision r1"):
        ask(engine, module(OPEN + ENDING) + "\n# changed\n")


def test_an_engine_recovers_after_a_failure() -> None:
    engine = RegoEngine()
    with pytest.raises(EngineUnavailable):
        ask(engine, module(OPEN + ENDING), {"open": True, "region": object()})

    assert ask(engine, module(OPEN + ENDING)).effect is Effect.PERMIT


def test_a_revision_is_built_once_and_the_least_recently_used_is_dropped(counting: type[CountingInterpreter]) -> None:
    engine, source = RegoEngine(revisions_kept=2), module(OPEN + ENDING)
    for revision in ("r1", "r2", "r1", "r2", "r1"):
        ask(engine, source, revision=revision)
    assert counting.made == 2

    ask(engine, source, revision="r3")
    ask(engine, source, revision="r1")
    assert counting.made == 3

    ask(engine, source, revision="r2")
    assert counting.made == 4


def test_threads_share_an_engine_and_each_builds_its_own_programs() -> None:
    engine, source = RegoEngine(), module(OPEN + ENDING)
    regions = ["DE", "US"] * 100

    with ThreadPoolExecutor(max_workers=4) as pool:
        results = list(pool.map(lambda region: ask(engine, source, {"open": True, "region": region}), regions))

    assert [result.effect for result in results] == [Effect.DENY, Effect.PERMIT] * 100


def test_check_accepts_a_sound_program() -> None:
    RegoEngine().check(program=program(module(OPEN + ENDING)))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('deny contains "blocked" if {\n\thttp.send({})\n}\n', "asset.infer:4: 'http.send' is not allowed"),
        ("decision := {\n", "asset.infer: the module does not build"),
        ("other := 1\n", "asset.infer: the module gives no decision"),
        ("decision := 1\n", "asset.infer: the module gives no decision"),
    ],
)
def test_check_names_the_line_that_is_refused(body: str, problem: str) -> None:
    with pytest.raises(ProgramRejected) as rejected:
        RegoEngine().check(program=program(module(body)))

    assert problem in rejected.value.message
    assert rejected.value.details["problems"][0]["module"] == "asset.infer"
    json.dumps(rejected.value.details)


def test_check_names_every_bad_module() -> None:
    modules = {"asset.infer": module("x := trace(1)\n"), "model.invoke": module("x := print(1)\n", "model.invoke")}

    with pytest.raises(ProgramRejected) as rejected:
        RegoEngine().check(program=PolicyProgram("r", modules, {}))

    assert [problem.module for problem in rejected.value.problems] == ["asset.infer", "model.invoke"]


def test_an_engine_that_lacks_an_allowed_function_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountingInterpreter, "is_builtin", lambda self, name: name != "count")
    monkeypatch.setattr(rego_programs, "Interpreter", CountingInterpreter)

    with pytest.raises(ProgramRejected, match="the engine lacks count"):
        RegoEngine().check(program=program(module(OPEN + ENDING)))


def test_the_engine_fits_the_port() -> None:
    with policy_engine.override(RegoEngine()):
        assert policy_engine.get().name == "rego"


def filed(count: int) -> PolicyProgram:
    """Return a program of one rule for each of some creators, and one that permits."""
    specs = [
        rule(id=f"c{number}", condition=Compare("asset.creator", Operator.EQ, f"c{number}"), actions=("asset.infer",))
        for number in range(count)
    ]
    wide = Compare("asset.width", Operator.GT, 0)
    opened = rule(id="opened", effect=Effect.PERMIT, condition=wide, actions=("asset.infer",))
    content = build_content(schema=current_schema(), system=[], abac=[opened, *specs])
    return program_of(text=content.text, digest=content.digest)


def of_creators(*numbers: int) -> list[EngineRequest]:
    return [EngineRequest("asset.infer", permitted_facts("asset.infer", asset__creator=f"c{n}")) for n in numbers]


def test_only_candidates_are_built_in_groups_at_first_and_together_once_they_recur(
    counting: type[CountingInterpreter],
) -> None:
    engine, compiled = RegoEngine(), filed(50)

    engine.evaluate(program=compiled, requests=of_creators(1, 2))
    assert counting.made == 3  # what concerns all, and each creator's

    results = engine.evaluate(program=compiled, requests=of_creators(1, 1, 1, 1))
    assert counting.made == 4  # and the two together, once they were seen often enough
    assert {result.matched_denies for result in results} == {("c1",)}


def test_a_thread_keeps_at_most_its_number_of_programs(counting: type[CountingInterpreter]) -> None:
    engine, compiled = RegoEngine(shards_kept=2), filed(50)

    for number in (1, 2, 3, 1):
        [result] = engine.evaluate(program=compiled, requests=of_creators(number))
        assert result.matched_denies == (f"c{number}",)

    assert counting.made == 5  # the first creator's again, after it had to go


def test_many_rules_are_checked_a_few_at_a_time(counting: type[CountingInterpreter]) -> None:
    compiled = filed(250)

    RegoEngine().check(program=compiled)

    assert counting.made == 2 + len(compiled.modules)


def test_a_refused_rule_among_many_is_named_by_its_line_in_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.engines.builtins.ALLOWED", frozenset())

    with pytest.raises(ProgramRejected) as rejected:
        RegoEngine().check(program=filed(250))

    assert max(problem.line for problem in rejected.value.problems) > 1000
