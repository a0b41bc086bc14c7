"""Decisions under a revision with hand-written Rego."""

import pytest

from governance.decisions.choices import DecisionKind
from governance.decisions.services import decide
from governance.engines.types import Effect, RuleMeta
from governance.kernel.ids import new_id
from governance.rulebook import services
from governance.rulebook.activation import publish_without_review
from governance.rulebook.custom_contract import CustomModule
from tests.factories.marketplace import TESTER

MODULE = CustomModule(
    name="night_watch",
    action="asset.infer",
    source='package assent.asset.infer\n\ndeny contains "night-watch" if startswith(input.asset.creator, "ada")\n',
    rules={"night-watch": RuleMeta(Effect.DENY, "night_watch", "Works of {asset.creator} rest now.")},
)


@pytest.fixture
def guarded(market, monkeypatch):
    monkeypatch.setattr(services, "custom_modules", lambda: (MODULE,))
    return publish_without_review(actor=TESTER, note="with a module")


def test_its_denial_is_a_decision_like_any_other(guarded, context, asked):
    decision = decide(kind=DecisionKind.ADMISSION, job_id=new_id(), context=context, asked=asked, actor=TESTER)
    assert (decision.effect, decision.revision_digest) == ("deny", guarded.digest)
    assert decision.reasons == [{"code": "night_watch", "message": "Works of ada rest now.", "rule": "night-watch"}]
