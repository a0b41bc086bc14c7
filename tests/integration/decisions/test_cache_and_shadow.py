"""Decisions with answers kept, with a second engine beside the first, and under roles."""

import pytest

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.decisions.cache import DecisionCache
from governance.decisions.choices import DecisionKind
from governance.decisions.facts import run_questions
from governance.decisions.models import DecisionRecord
from governance.decisions.ports import decision_cache
from governance.decisions.services import decide
from governance.engines.casbin import CasbinEngine
from governance.engines.ports import policy_engine
from governance.engines.rego import RegoEngine
from governance.engines.shadow import ShadowedEngine
from governance.engines.types import Effect, EngineResult
from governance.kernel.ids import new_id
from governance.partners.roles import Grant, create_role, set_roles
from governance.workflows.consent import withdraw_consent

ACTOR = Actor("system", "tests")


@pytest.fixture
def ask(context, market):
    def ask() -> DecisionRecord:
        asked = run_questions(context=context, version=market.version, assets=[market.asset])
        return decide(kind=DecisionKind.ADMISSION, job_id=new_id(), context=context, asked=asked, actor=ACTOR)

    return ask


class Permitting:
    """Permits everything, by no rule."""

    name = "permitting"

    def evaluate(self, *, program, requests):
        return [EngineResult(Effect.PERMIT, (), (), (), ()) for _ in requests]


def test_a_withdrawal_holds_with_the_next_decision_however_many_answers_are_kept(ask, market):
    with decision_cache.override(DecisionCache(entries=100)) as kept:
        assert [ask().effect, ask().effect] == ["permit", "permit"]
        assert kept.hits == 2
        withdraw_consent(creator=market.creator, asset=None, everything=True, method="console", actor=ACTOR)
        after = ask()

    assert (after.effect, after.reason_codes) == ("deny", ["consent_withdrawn"])


def test_two_engines_that_agree_decide(ask):
    with policy_engine.override(ShadowedEngine(first=CasbinEngine(), second=RegoEngine())):
        decision = ask()

    assert (decision.effect, decision.engine) == ("permit", "casbin")


def test_two_engines_that_do_not_agree_are_a_denial_in_the_ledger(ask):
    with policy_engine.override(ShadowedEngine(first=RegoEngine(), second=Permitting())):
        decision = ask()

    assert (decision.effect, decision.reason_codes) == ("deny", ["engine_disagreement"])
    assert OutboxEntry.objects.filter(kind="engine.disagreed", subject_id=str(decision.id)).exists()


def test_roles_token_and_policy_must_all_permit_and_the_decision_says_which_did_not(ask, market):
    role = create_role(slug="other", name="Other", grants=[Grant(model="another")], actor=ACTOR)
    set_roles(client=market.client, roles=[role], actor=ACTOR)

    decision = ask()

    assert (decision.effect, decision.reason_codes) == ("deny", ["rbac_not_permitted"])
    assert {reason["rule"] for reason in decision.reasons} == {"rbac-model"}
