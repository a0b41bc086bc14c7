"""The playground, and why decisions came out as they did."""

import json

import pytest
from django.urls import reverse

from governance.console.presentation import page_url
from governance.decisions.models import DecisionRecord
from governance.rulebook.models import PolicyActivation

PLAYGROUND = "admin:decisions_decisionrecord_playground"


@pytest.fixture
def ask(market, boss):
    def send(**fields):
        picked = {
            "client": market.client.client_id,
            "action": "asset.infer",
            "purpose": "commercial",
            "work": str(market.asset.id),
            "model": "espcn-x2",
        }
        return boss.post(reverse(PLAYGROUND), picked | fields)

    return send


def test_a_question_is_answered_by_every_engine_and_explained(ask):
    found = ask().context["found"]

    assert found["answer"].permitted
    assert found["agreed"]
    assert [each.engine for each in found["engines"]] == ["rego", "casbin"]
    assert [rule.rule_id for rule in found["rules"].matched] == ["asset-consented"]
    assert not DecisionRecord.objects.exists()


def test_a_changed_fact_changes_the_answer_and_its_explanation(ask):
    answer = ask(changes=json.dumps({"asset.status": "quarantined"}))

    found = answer.context["found"]
    assert [reason.code for reason in found["answer"].reasons] == ["asset_quarantined"]
    [permit] = [rule for rule in found["rules"].unmatched if rule.rule_id == "asset-consented"]
    assert permit.seen == [("asset.status", "the work's status", '"quarantined"')]
    assert "the work&#x27;s status is active" in answer.content.decode()


def test_a_request_is_pasted_as_an_enforcement_point_sends_it(ask, market):
    pasted = {
        "subject": {"type": "client", "id": market.client.client_id},
        "action": {"name": "model.invoke"},
        "resource": {"type": "model", "id": "espcn-x2"},
        "context": {"purpose": "non_commercial"},
    }

    found = ask(pasted=json.dumps(pasted), purpose="research").context["found"]

    assert [reason.code for reason in found["answer"].reasons] == ["licence_purpose_not_covered"]


def test_a_fact_that_does_not_fit_fails_closed(ask):
    found = ask(changes=json.dumps({"asset.width": "wide"})).context["found"]

    assert [reason.code for reason in found["answer"].reasons] == ["facts_incomplete"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"work": ""}, "work"),
        ({"work": "not-an-id"}, "work"),
        ({"work": "01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a"}, "work"),
        ({"client": ""}, "client"),
        ({"action": "model.invoke", "model": ""}, "model"),
        ({"changes": "{"}, "changes"),
        ({"changes": "[]"}, "changes"),
        ({"changes": '{"asset.colour": "red"}'}, "changes"),
        ({"changes": '{"asset": {}}'}, "changes"),
        ({"pasted": "{"}, "pasted"),
        ({"pasted": '{"subject": {"id": "ghost"}}'}, "client"),
        ({"pasted": '{"action": {"name": "asset.fly"}}'}, "action"),
        ({"pasted": '{"context": {"purpose": "fun"}}'}, "purpose"),
        ({"pasted": '{"context": {"model": "ghost"}}'}, "model"),
    ],
)
def test_what_cannot_be_asked_is_reported_at_its_field(ask, fields, field):
    answer = ask(**fields)

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]


def test_without_a_policy_there_is_still_a_page(ask, monkeypatch):
    monkeypatch.setattr(PolicyActivation.objects, "order_by", lambda *_: PolicyActivation.objects.none())

    found = ask().context["found"]

    assert [reason.code for reason in found["answer"].reasons] == ["no_active_revision"]
    assert found["rules"].problem


def test_a_decision_explains_every_rule_and_leads_to_the_playground(market, boss):
    denied = market.submit(purpose="research").job.admission

    page = boss.get(page_url(denied)).content.decode()

    assert "consent-not-covered" in page
    assert "What was seen" in page
    assert reverse(PLAYGROUND) in page


def test_a_link_fills_the_form_in(boss, market):
    page = boss.get(reverse(PLAYGROUND), {"action": "model.invoke", "purpose": "commercial", "model": "espcn-x2"})

    assert 'value="model.invoke" selected' in page.content.decode()


def test_nobody_without_the_right_to_see_decisions_asks(client):
    assert client.get(reverse(PLAYGROUND)).status_code == 302
