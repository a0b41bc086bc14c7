"""Evaluates one question with several engines, to see that they agree."""

from collections.abc import Iterable
from dataclasses import dataclass

from governance.decisions.types import Question
from governance.engines.ports import PolicyEngine
from governance.engines.types import EngineRequest, EngineResult, PolicyProgram


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """The answer of one engine; `result` is None where it has none, and `problem` says why."""

    engine: str
    result: EngineResult | None
    problem: str = ""


def ask_each(*, program: PolicyProgram, question: Question, engines: Iterable[PolicyEngine]) -> list[EngineAnswer]:
    """Return the answer of every engine, in order. Never raises: an error is part of the engine's answer."""
    request = EngineRequest(question.action.value, question.facts)
    return [_ask(program, request, engine) for engine in engines]


def agree(answers: Iterable[EngineAnswer]) -> bool:
    """Return whether all engines that answered gave the same answer, down to the rules that matched."""
    given = [answer.result for answer in answers if answer.result is not None]
    return all(result == given[0] for result in given)


def _ask(program: PolicyProgram, request: EngineRequest, engine: PolicyEngine) -> EngineAnswer:
    try:
        [result] = engine.evaluate(program=program, requests=[request])
    except Exception as error:  # an engine that fails must not keep the others from being shown
        return EngineAnswer(engine.name, None, str(error) or type(error).__name__)
    return EngineAnswer(engine.name, result)
