"""The decision point: it permits only on a sound answer, and puts every answer on record."""

from dataclasses import replace

import pytest

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.decisions.choices import DecisionKind
from governance.decisions.ports import supported_obligations
from governance.decisions.queries import decisions_for_job, decisions_of
from governance.decisions.services import decide
from governance.decisions.types import QuestionSet
from governance.engines.ports import policy_engine
from governance.engines.types import Effect, EngineResult
from governance.kernel.ids import new_id

ACTOR = Actor("system", "tests")


class Answering:
    """An engine that gives the same results to every batch."""

    name = "answering"

    def __init__(self, *results):
        self.results = list(results)

    def evaluate(self, *, program, requests):
        return self.results


SILENT_DENIAL = EngineResult(Effect.DENY, (), (), (), ())


@pytest.fixture
def ask(context, asked):
    def ask(asked=asked):
        return decide(kind=DecisionKind.ADMISSION, job_id=new_id(), context=context, asked=asked, actor=ACTOR)

    return ask


def without(question, *path):
    facts = {name: dict(value) if isinstance(value, dict) else value for name, value in question.facts.items()}
    branch = facts
    for name in path[:-1]:
        branch = branch[name]
    del branch[path[-1]]
    return replace(question, facts=facts)


def test_a_permit_records_what_led_to_it(ask, market):
    decision = ask()
    assert (decision.effect, decision.reason_codes, decision.engine) == ("permit", [], "rego")
    assert [each["action"] for each in decision.evaluations] == ["model.invoke", "asset.infer"]
    assert [each["matched_rules"]["permit"] for each in decision.evaluations] == [
        ["model-licensed"],
        ["asset-consented"],
    ]
    assert decision.consent_epochs == {market.creator.slug: 1}
    assert len(decision.revision_digest) == 64


def test_one_denied_question_denies_the_batch(ask, asked, market):
    quarantined = dict(asked.questions[1].facts["asset"], status="quarantined")
    facts = {**asked.questions[1].facts, "asset": quarantined}
    questions = (asked.questions[0], replace(asked.questions[1], facts=facts))
    decision = ask(replace(asked, questions=questions))
    assert decision.effect == "deny"
    assert decision.reason_codes == ["asset_quarantined"]
    assert [each["effect"] for each in decision.evaluations] == ["permit", "deny"]


def test_no_questions_are_a_denial(ask):
    assert ask(QuestionSet(questions=(), consent_epochs={})).effect == "deny"


@pytest.mark.parametrize("path", [("subject", "region"), ("consent", "state"), ("licence", "purposes"), ("purpose",)])
def test_a_missing_fact_denies(ask, asked, path):
    questions = (asked.questions[0], without(asked.questions[1], *path))
    decision = ask(replace(asked, questions=questions))
    assert decision.reason_codes == ["facts_incomplete"]
    assert ".".join(path) in decision.reasons[0]["message"]


def test_an_unsupported_obligation_denies(ask, asked):
    decision = ask(replace(asked, obligations=({"kind": "send_flowers", "parameters": {}},)))
    assert decision.reason_codes == ["obligation_unsupported"]
    assert "send_flowers" in decision.reasons[0]["message"]
    assert decision.obligations == []


def test_obligations_of_the_licence_are_added_once(ask, asked):
    obligation = {"kind": "limit_resolution", "parameters": {"max_edge": 100}}
    assert ask(replace(asked, obligations=(obligation, dict(obligation)))).obligations == [obligation]


def test_an_engine_that_answers_fewer_questions_than_asked_denies(ask):
    with policy_engine.override(Answering(SILENT_DENIAL)):
        assert ask().reason_codes == ["engine_unavailable"]


def test_a_denial_without_reasons_gets_one(ask):
    with policy_engine.override(Answering(SILENT_DENIAL, SILENT_DENIAL)):
        assert ask().reason_codes == ["no_rule_permits"]


def test_without_supported_obligations_a_permit_with_one_is_a_denial(ask, asked):
    with supported_obligations.override(frozenset()):
        decision = ask(replace(asked, obligations=({"kind": "attribution", "parameters": {}},)))
    assert decision.reason_codes == ["obligation_unsupported"]


def test_each_decision_goes_to_the_ledger(ask):
    decision = ask()
    entry = OutboxEntry.objects.filter(kind="decision.recorded").get()
    assert entry.subject_id == str(decision.id)


def test_decisions_are_found_by_partner_and_by_job(ask, market):
    decision = ask()
    assert list(decisions_of(partner_slug=market.partner.slug)) == [decision]
    assert decisions_for_job(decision.job_id) == [decision]
    assert not decisions_of(partner_slug="somebody-else").exists()
