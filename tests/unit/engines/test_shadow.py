"""Two engines that must agree."""

import logging
from collections.abc import Sequence

import pytest

from governance.engines.casbin import CasbinEngine
from governance.engines.errors import EngineDisagreement, ProgramRejected
from governance.engines.rego import RegoEngine
from governance.engines.shadow import ShadowedEngine
from governance.engines.types import Effect, EngineRequest, EngineResult, PolicyProgram
from governance.rulebook.content import build_content, program_of
from governance.rulebook.rules import system_rules
from governance.rulebook.schema import current_schema
from tests.factories.rulebook import permitted_facts

CONTENT = build_content(schema=current_schema(), system=system_rules(), abac=[])
PROGRAM = program_of(text=CONTENT.text, digest=CONTENT.digest)
INFER = EngineRequest("asset.infer", permitted_facts("asset.infer"))


class Stubborn:
    """Permits everything."""

    name = "stubborn"

    def evaluate(self, *, program: PolicyProgram, requests: Sequence[EngineRequest]) -> list[EngineResult]:
        return [EngineResult(Effect.PERMIT, (), (), (), ()) for _ in requests]

    def check(self, *, program: PolicyProgram) -> None:
        raise ProgramRejected([])


def test_engines_that_agree_give_the_first_ones_answer() -> None:
    engine = ShadowedEngine(first=CasbinEngine(), second=RegoEngine())

    [answer] = engine.evaluate(program=PROGRAM, requests=[INFER])

    assert answer.effect is Effect.PERMIT
    assert engine.name == "casbin"
    engine.check(program=PROGRAM)


def test_engines_that_disagree_are_an_error_and_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    engine = ShadowedEngine(first=RegoEngine(), second=Stubborn())

    with caplog.at_level(logging.ERROR), pytest.raises(EngineDisagreement) as disagreement:
        engine.evaluate(program=PROGRAM, requests=[INFER])

    assert disagreement.value.error_code == "engine_disagreement"
    assert disagreement.value.details["engines"] == ["rego", "stubborn"]
    assert disagreement.value.details["actions"] == ["asset.infer"]
    assert "rego and stubborn disagree on asset.infer" in caplog.text


def test_a_program_that_either_engine_refuses_is_refused() -> None:
    with pytest.raises(ProgramRejected):
        ShadowedEngine(first=RegoEngine(), second=Stubborn()).check(program=PROGRAM)
