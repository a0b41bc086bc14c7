"""Answers that are kept, and when they are not."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from governance.decisions.cache import DecisionCache
from governance.engines.errors import EngineUnavailable
from governance.engines.rego import RegoEngine
from governance.engines.types import Effect, EngineRequest, EngineResult, PolicyProgram
from governance.rulebook.content import build_content, program_of
from governance.rulebook.rules import system_rules
from governance.rulebook.schema import current_schema
from governance.rulebook.types import All, Compare, Operator, RuleSpec
from tests.factories.rulebook import permitted_facts, rule

LATE = rule(
    id="late",
    condition=All(
        (
            Compare("subject.region", Operator.EQ, "US"),
            Compare("request.time", Operator.GT, "2026-11-21T00:00:00.000000Z"),
        )
    ),
    message="Too late.",
)


def compiled(*abac: RuleSpec) -> PolicyProgram:
    content = build_content(schema=current_schema(), system=system_rules(), abac=abac)
    return program_of(text=content.text, digest=content.digest)


PROGRAM = compiled(LATE)


class Counting(RegoEngine):
    """Counts the requests that reach it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def evaluate(self, *, program: PolicyProgram, requests: Sequence[EngineRequest]) -> list[EngineResult]:
        self.asked += len(requests)
        return super().evaluate(program=program, requests=requests)


class Asking:
    """A cache before an engine that counts."""

    def __init__(self, entries: int = 100) -> None:
        self.engine = Counting()
        self.cache = DecisionCache(entries=entries)

    def __call__(
        self, *, program: PolicyProgram = PROGRAM, epochs: dict[str, int] | None = None, **changes: Any
    ) -> EngineResult:
        request = EngineRequest("asset.infer", permitted_facts("asset.infer", **changes))
        [answer] = self.cache.evaluate(
            engine=self.engine, program=program, requests=[request], consent_epochs=epochs or {"ada": 1}
        )
        return answer


@pytest.fixture
def ask() -> Asking:
    return Asking()


def test_the_same_question_is_evaluated_once(ask: Asking) -> None:
    assert ask() == ask() == ask()
    assert (ask.engine.asked, ask.cache.hits) == (1, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"consent__state": "withdrawn"},
        {"consent__pairs": []},
        {"purpose": "research"},
        {"token__actions": []},
        {"epochs": {"ada": 2}},
        {"program": compiled()},
        {"subject__status": "suspended"},
    ],
)
def test_anything_that_the_answer_depends_on_changes_the_key(ask: Asking, changes: dict[str, Any]) -> None:
    ask()
    ask(**changes)

    assert ask.engine.asked == 2


def test_a_withdrawn_consent_is_denied_by_the_next_decision(ask: Asking) -> None:
    assert ask().effect is Effect.PERMIT
    assert ask(consent__state="withdrawn", epochs={"ada": 2}).effect is Effect.DENY
    assert ask(consent__state="withdrawn", epochs={"ada": 2}).effect is Effect.DENY


def test_time_is_part_of_the_key_only_where_a_rule_reads_it(ask: Asking) -> None:
    early, late = "2026-11-20T23:59:59.000000Z", "2026-11-21T00:00:01.000000Z"

    assert [ask(request__time=time).effect for time in (early, late)] == [Effect.PERMIT, Effect.PERMIT]
    assert ask.engine.asked == 1
    answers = [ask(request__time=time, subject__region="US").effect for time in (early, late)]
    assert answers == [Effect.PERMIT, Effect.DENY]
    assert ask.engine.asked == 3


def test_a_fact_that_a_message_quotes_is_part_of_the_key(ask: Asking) -> None:
    messages = {ask(purpose="research", token__purposes=[], model__slug=slug).reasons[0].message for slug in "ab"}
    quoted = {
        ask(consent__partners_excluded=[partner], subject__partner=partner).reasons[0].message for partner in "ab"
    }

    assert len(messages) == 1
    assert len(quoted) == 2


def test_the_cache_keeps_at_most_its_number_of_entries() -> None:
    ask = Asking(entries=2)

    for creator in ("a", "b", "c"):
        ask(epochs={creator: 1})
    ask(epochs={"c": 1})
    ask(epochs={"a": 1})

    assert (ask.engine.asked, ask.cache.hits) == (4, 1)


@pytest.mark.parametrize("program", [PROGRAM, replace(PROGRAM, index={}, parts={})])
def test_nothing_is_cached_without_entries_or_without_an_index(program: PolicyProgram) -> None:
    ask = Asking(entries=0 if program is PROGRAM else 100)

    ask(program=program)
    ask(program=program)

    assert ask.engine.asked == 2


def test_a_batch_of_cached_and_fresh_answers_keeps_its_order(ask: Asking) -> None:
    ask()
    requests = [
        EngineRequest("asset.infer", permitted_facts("asset.infer", consent__state=state))
        for state in ("none", "active", "expired")
    ]

    answers = ask.cache.evaluate(engine=ask.engine, program=PROGRAM, requests=requests, consent_epochs={"ada": 1})

    assert [answer.effect for answer in answers] == [Effect.DENY, Effect.PERMIT, Effect.DENY]
    assert [answer.reasons[0].code for answer in answers[::2]] == ["consent_none", "consent_expired"]
    assert ask.engine.asked == 3


def test_too_few_answers_of_an_engine_are_an_error(ask: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "evaluate", lambda *args, **kwargs: [])

    with pytest.raises(EngineUnavailable):
        ask()
