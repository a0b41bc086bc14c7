"""The Casbin engine."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from governance.engines.casbin import CasbinEngine
from governance.engines.errors import EngineUnavailable, ProgramRejected
from governance.engines.types import CasbinModule, Effect, EngineRequest, EngineResult, PolicyProgram
from governance.rulebook.compile_casbin import MODEL
from governance.rulebook.content import build_content, program_of
from governance.rulebook.schema import current_schema
from governance.rulebook.types import All, Compare, Operator
from tests.factories.rulebook import BLOCK_REGION, permitted_facts, rule

WIDE = rule(id="wide", effect=Effect.PERMIT, condition=Compare("asset.width", Operator.GTE, 640))
ODD = rule(id="odd", condition=Compare("asset.creator", Operator.EQ, 'a && !r.b || p.c, "d" # e'))


def program_with(*specs: Any) -> PolicyProgram:
    content = build_content(schema=current_schema(), system=[], abac=specs)
    return program_of(text=content.text, digest=content.digest)


PROGRAM = program_with(BLOCK_REGION, WIDE, ODD)


def ask(program: PolicyProgram = PROGRAM, **changes: Any) -> EngineResult:
    request = EngineRequest("asset.infer", permitted_facts("asset.infer", **changes))
    return CasbinEngine().evaluate(program=program, requests=[request])[0]


@pytest.mark.parametrize(
    ("changes", "effect", "permits", "denies"),
    [
        ({"subject__region": "US"}, Effect.PERMIT, ("wide",), ()),
        ({"subject__region": "DE"}, Effect.DENY, ("wide",), ("block-region",)),
        ({"subject__region": "US", "asset__width": 10}, Effect.DENY, (), ()),
        ({"asset__creator": 'a && !r.b || p.c, "d" # e'}, Effect.DENY, ("wide",), ("block-region", "odd")),
    ],
)
def test_deny_overrides_and_every_matched_rule_is_reported(
    changes: dict[str, Any], effect: Effect, permits: tuple[str, ...], denies: tuple[str, ...]
) -> None:
    result = ask(**changes)

    assert (result.effect, result.matched_permits, result.matched_denies) == (effect, permits, denies)


def test_where_no_rule_can_match_the_answer_is_no() -> None:
    result = ask(program_with(rule(condition=Compare("subject.region", Operator.EQ, "FR"))), subject__region="US")

    assert [reason.code for reason in result.reasons] == ["no_rule_permits"]


def test_an_action_that_the_program_does_not_know_is_denied() -> None:
    [result] = CasbinEngine().evaluate(program=PROGRAM, requests=[EngineRequest("asset.melt", {})])

    assert [reason.code for reason in result.reasons] == ["action_unknown"]


def test_a_fact_that_is_not_given_is_a_denial() -> None:
    [result] = CasbinEngine().evaluate(program=PROGRAM, requests=[EngineRequest("asset.infer", {})])

    assert [reason.code for reason in result.reasons] == ["facts_incomplete"]


@pytest.mark.parametrize("width", [2**53, float("nan"), {"x": 1}, "wide"])
def test_a_fact_that_cannot_be_compared_is_an_error(width: object) -> None:
    with pytest.raises(EngineUnavailable):
        ask(asset__width=width)


def test_hand_written_rego_is_refused_when_a_revision_is_checked() -> None:
    modules = {**PROGRAM.modules, "asset.infer": PROGRAM.modules["asset.infer"] + "# By hand.\n"}
    casbin = {action: module for action, module in PROGRAM.casbin.items() if action != "asset.infer"}
    program = replace(PROGRAM, modules=modules, casbin=casbin)

    with pytest.raises(ProgramRejected, match=r"asset\.infer: it holds more than compiled rules"):
        CasbinEngine().check(program=program)
    with pytest.raises(EngineUnavailable):
        ask(program)


@pytest.mark.parametrize("condition", ["{}", "[]", "no json", '{"attr":"a","op":"like","value":1}', '{"all":[]}'])
def test_a_condition_that_cannot_be_read_is_refused(condition: str) -> None:
    module = CasbinModule(MODEL, {"x": ("asset.infer", "x", condition, "deny")})

    with pytest.raises(ProgramRejected, match="the condition of the rule 'x'"):
        CasbinEngine().check(program=replace(PROGRAM, casbin={**PROGRAM.casbin, "asset.infer": module}))


def test_the_products_own_form_is_accepted() -> None:
    CasbinEngine().check(program=PROGRAM)


def test_an_effect_that_contradicts_the_matched_rules_is_an_error() -> None:
    lines = {"wide": ("asset.infer", "wide", PROGRAM.casbin["asset.infer"].lines["wide"][2], "deny")}
    module = CasbinModule(MODEL, lines)

    with pytest.raises(EngineUnavailable):
        ask(replace(PROGRAM, casbin={"asset.infer": module}, index={}))


def test_threads_do_not_disturb_each_other() -> None:
    engine = CasbinEngine()
    condition = All((Compare("asset.width", Operator.GTE, 640), Compare("asset.height", Operator.GTE, 1)))
    program = program_with(rule(id="open", effect=Effect.PERMIT, condition=condition))
    requests = [EngineRequest("asset.infer", permitted_facts("asset.infer", asset__width=w)) for w in (1, 640) * 20]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: engine.evaluate(program=program, requests=requests), range(8)))

    assert all([answer.effect for answer in one] == [Effect.DENY, Effect.PERMIT] * 20 for one in answers)
