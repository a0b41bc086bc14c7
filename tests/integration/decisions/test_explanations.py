"""Why decisions came out as they did."""

import pytest

from governance.catalog.models import Asset
from governance.decisions.choices import DecisionKind
from governance.decisions.errors import PermittedSetUnavailable
from governance.decisions.explanations import explain_decision, explain_decision_to_partner, explain_evaluation
from governance.decisions.permitted import permitted_assets
from governance.decisions.services import decide
from governance.engines.types import Effect, RuleMeta
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import Action
from governance.rulebook import services
from governance.rulebook.activation import publish_without_review
from governance.rulebook.custom_contract import CustomModule
from tests.factories.marketplace import TESTER

MODULE = CustomModule(
    name="night_watch",
    action="asset.infer",
    source='package assent.asset.infer\n\ndeny contains "night-watch" if input.asset.creator == "ada"\n',
    rules={"night-watch": RuleMeta(Effect.DENY, "night_watch", "Works of {asset.creator} rest now.")},
)


@pytest.fixture
def decided(context, asked):
    def make():
        return decide(kind=DecisionKind.ADMISSION, job_id=new_id(), context=context, asked=asked, actor=TESTER)

    return make


def test_a_decision_is_explained_by_the_revision_of_its_day(market, decided):
    decision = decided()
    market.withdraw()

    about_model, about_work = explain_decision(decision)

    assert [rule.rule_id for rule in about_model.rules if rule.matched] == ["model-licensed"]
    assert [rule.rule_id for rule in about_work.rules if rule.matched] == ["asset-consented"]
    assert not about_work.handwritten


@pytest.mark.parametrize(("revision", "facts"), [("", {}), ("0" * 64, {})])
def test_a_decision_that_cannot_be_explained_has_a_problem(market, revision, facts):
    assert explain_evaluation(revision=revision, action="asset.infer", facts=facts).problem


def test_missing_facts_are_named_in_the_explanation(market, decided):
    found = explain_evaluation(revision=decided().revision_digest, action="asset.infer", facts={})

    assert "is not known" in found.problem


def test_hand_written_rego_is_not_explained_and_in_no_permitted_set(market, decided, context, monkeypatch):
    monkeypatch.setattr(services, "custom_modules", lambda: (MODULE,))
    publish_without_review(actor=TESTER, note="with a module")
    decision = decided()

    assert explain_decision(decision)[1].handwritten
    assert explain_decision_to_partner(decision) == [
        "Works of ada rest now.",
        "The licence open covers the model espcn-x2 for the purpose commercial.",
    ]
    with pytest.raises(PermittedSetUnavailable):
        permitted_assets(assets=Asset.objects.all(), action=Action.ASSET_INFER, context=context)
