"""From a decision document to an answer."""

from typing import Any

import pytest

from governance.engines.results import DecisionMalformed, denial, result_of
from governance.engines.types import (
    Effect,
    EngineRequest,
    EngineResult,
    Obligation,
    PolicyProgram,
    Reason,
    RuleMeta,
)

PROGRAM = PolicyProgram(
    revision="r",
    modules={},
    rules={
        "p1": RuleMeta(Effect.PERMIT, "ok", "Fine.", (Obligation("watermark", {"strength": 2}), Obligation("a"))),
        "p2": RuleMeta(Effect.PERMIT, "ok", "Fine.", (Obligation("watermark", {"strength": 2}), Obligation("z"))),
        "d1": RuleMeta(Effect.DENY, "region_blocked", "Not in {subject.region}."),
        "d2": RuleMeta(Effect.DENY, "late", "Too late."),
    },
)
REQUEST = EngineRequest("asset.infer", {"subject": {"region": "DE"}})


def result(effect: str, permits: Any, denies: Any) -> EngineResult:
    document = {"effect": effect, "permits": permits, "denies": denies}
    return result_of(document=document, program=PROGRAM, request=REQUEST)


def test_a_permit_carries_the_obligations_of_its_rules_once_in_a_fixed_order() -> None:
    assert result("permit", ["p2", "p1"], []) == EngineResult(
        effect=Effect.PERMIT,
        matched_permits=("p1", "p2"),
        matched_denies=(),
        obligations=(Obligation("a"), Obligation("watermark", {"strength": 2}), Obligation("z")),
        reasons=(),
    )


def test_denies_override_and_each_gives_its_reason() -> None:
    assert result("deny", ["p1"], ["d2", "d1"]) == EngineResult(
        effect=Effect.DENY,
        matched_permits=("p1",),
        matched_denies=("d1", "d2"),
        obligations=(),
        reasons=(Reason("region_blocked", "Not in DE.", "d1"), Reason("late", "Too late.", "d2")),
    )


def test_a_request_that_no_rule_permits_is_denied() -> None:
    assert result("deny", [], []).reasons == (Reason("no_rule_permits", "No rule permits asset.infer here."),)


@pytest.mark.parametrize(
    ("effect", "permits", "denies"),
    [
        ("permit", [], []),
        ("permit", ["p1"], ["d1"]),
        ("deny", ["p1"], []),
        ("allow", ["p1"], []),
        ("deny", [], ["p1"]),
        ("permit", ["d1"], []),
        ("deny", [], ["unknown"]),
        ("deny", [], [1]),
        ("deny", None, []),
        ("deny", {"p1": True}, []),
    ],
)
def test_a_document_that_contradicts_itself_is_an_error(effect: str, permits: Any, denies: Any) -> None:
    with pytest.raises(DecisionMalformed) as malformed:
        result(effect, permits, denies)

    assert malformed.value.error_code == "engine_unavailable"


@pytest.mark.parametrize("document", [None, [], True, {}, {"effect": "permit", "permits": ["p1"]}])
def test_a_document_of_another_shape_is_an_error(document: object) -> None:
    with pytest.raises(DecisionMalformed):
        result_of(document=document, program=PROGRAM, request=REQUEST)


def test_a_denial_by_the_engine_names_no_rule() -> None:
    assert denial("x", "Y.") == EngineResult(Effect.DENY, (), (), (), (Reason("x", "Y.", None),))
