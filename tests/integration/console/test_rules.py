"""ABAC rules in the console: the form, its errors, the preview, and what a draft would change."""

import json

import pytest
from django.urls import reverse

from governance.audit.models import OutboxEntry
from governance.console.presentation import list_url, page_url
from governance.rulebook.activation import publish_without_review
from governance.rulebook.models import AbacRule
from governance.rulebook.services import create_rule, update_rule
from tests.factories.marketplace import TESTER
from tests.integration.console.rules import CONDITION, spec

ADD = "admin:rulebook_abacrule_add"
PROPOSE = "admin:rulebook_policydraft_propose"
GOOD = {
    "slug": "embargo",
    "effect": "deny",
    "actions": ["asset.infer"],
    "condition": json.dumps(CONDITION),
    "reason_code": "region_blocked",
    "message": "Not available in {subject.region}.",
    "obligations": "[]",
    "enabled": "on",
}


@pytest.fixture
def author(person):
    return person("Policy author")


def preview(client, **changes):
    body = GOOD | {"condition": CONDITION, "obligations": []} | changes
    return client.post(
        reverse("admin:rulebook_abacrule_preview"), json.dumps(body), content_type="application/json"
    ).json()


def test_a_rule_is_written_through_the_service(market, author):
    answer = author.post(reverse(ADD), GOOD)
    rule = AbacRule.objects.get(slug="embargo")
    assert answer.url == page_url(rule)
    assert (rule.created_by, rule.condition) == ("policy-author", CONDITION)
    assert OutboxEntry.objects.latest("id").kind == "rule.created"
    assert "Not yet in the active revision" in author.get(page_url(rule)).content.decode()


def test_a_rule_is_changed_and_keeps_its_id(market, author):
    rule = create_rule(spec=spec(), enabled=True, actor_user=author.user)
    author.post(page_url(rule), GOOD | {"slug": "other", "message": "No.", "enabled": ""})
    rule.refresh_from_db()
    assert (rule.slug, rule.message, rule.enabled) == ("embargo", "No.", False)


@pytest.mark.parametrize(
    ("field", "data", "sentence"),
    [
        ("slug", {"slug": "No Blanks"}, "An id is up to 50 lower-case letters and digits"),
        ("slug", {"slug": "asset-quarantined"}, "There is already a system rule"),
        ("reason_code", {"reason_code": "Region Blocked"}, "lower-case words joined by underscores"),
        ("message", {"message": "In {subject.regio}."}, "Did you mean &#x27;subject.region&#x27;?"),
        ("actions", {"actions": []}, "This field is required."),
        ("obligations", {"obligations": '[{"kind": "attribution"}]'}, "Only a rule that permits can carry"),
        ("obligations", {"effect": "permit", "obligations": '[{"kind": "watermrk"}]'}, "is no known obligation"),
        ("obligations", {"effect": "permit", "obligations": '[{"kind": "attribution"}]'}, "This is needed."),
        ("obligations", {"obligations": "{"}, "This cannot be read: it is not JSON"),
    ],
)
def test_what_is_not_valid_is_reported_at_the_field(field, data, sentence, market, author):
    answer = author.post(reverse(ADD), GOOD | data)
    assert field in answer.context["form"].errors
    assert sentence in answer.content.decode()
    assert not AbacRule.objects.exists()


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ({"all": [CONDITION, {"attr": "subject.regio", "op": "eq", "value": "DE"}]}, "condition.all[1].attr"),
        ({"any": [CONDITION, {"attr": "purpose", "op": "lt", "value": "research"}]}, "condition.any[1].op"),
        ({"not": {"attr": "purpose", "op": "eq", "value": "fun"}}, "condition.not.value"),
        ({"attr": "model.stage", "op": "eq", "value": "production", "extra": 1}, "condition"),
        ({}, "condition"),
    ],
)
def test_a_condition_is_refused_at_the_very_row(condition, path, market, author):
    answer = author.post(reverse(ADD), GOOD | {"condition": json.dumps(condition)})
    form = answer.context["form"]
    shown = [error["path"] for error in form.condition_errors] or ["condition"]
    assert path in shown
    assert "condition" in form.errors
    assert form.condition_json() == condition
    assert not AbacRule.objects.exists()


def test_a_condition_that_is_not_json_does_not_break_the_page(market, author):
    answer = author.post(reverse(ADD), GOOD | {"condition": "{"})
    assert answer.status_code == 200
    assert answer.context["form"].condition_json() == {}


def test_an_id_that_is_taken_is_reported_at_the_id(market, author):
    create_rule(spec=spec(), enabled=True, actor_user=author.user)
    answer = author.post(reverse(ADD), GOOD)
    assert answer.context["form"].errors["slug"] == ["There is already a rule 'embargo'."]


def test_the_preview_says_the_rule_in_words_and_in_rego(market, author):
    shown = preview(author)
    assert shown["sentence"] == "Deny asset.infer when the partner's region is one of RU, BY."
    assert "input.subject.region" in shown["rego"]
    assert shown["errors"] == []


def test_the_preview_says_how_many_recent_decisions_the_rule_would_match(market, author):
    market.submit()
    market.submit()
    german = {"attr": "subject.region", "op": "eq", "value": "DE"}
    assert preview(author, condition=german)["matches"] == {"matching": 2, "about": 2, "looked_at": 2}
    assert preview(author)["matches"] == {"matching": 0, "about": 2, "looked_at": 2}
    assert preview(author, actions=["asset.train"], condition=german)["matches"]["about"] == 0


def test_the_preview_does_not_wait_for_what_is_still_empty(market, author):
    assert preview(author, slug="", reason_code="", message="")["errors"] == []


def test_the_preview_says_what_is_wrong(market, author):
    shown = preview(author, condition={"attr": "subject.region", "op": "in", "value": "RU"})
    assert [error["path"] for error in shown["errors"]] == ["condition.value"]


@pytest.mark.parametrize("body", ["", "[]", '"x"', "{", '{"condition": 7}', '{"actions": "asset.infer"}'])
def test_the_preview_bears_anything(body, market, author):
    answer = author.post(reverse("admin:rulebook_abacrule_preview"), body, content_type="application/json")
    assert answer.json()["errors"]


def test_the_builder_is_offered_only_facts_known_for_every_action(market, author):
    url = reverse("admin:rulebook_abacrule_form-schema")

    def paths(*actions):
        schema = author.get(url, {"action": list(actions)}).json()
        return {attribute["path"] for group in schema["groups"] for attribute in group["attributes"]}

    assert {"asset.creator", "model.slug"} <= paths("asset.infer")
    assert "asset.creator" not in paths("asset.infer", "model.invoke")
    assert "subject.region" in paths("asset.infer", "model.invoke")


def test_every_kind_of_change_is_named(market, author):
    changed = create_rule(spec=spec("changed"), enabled=True, actor_user=author.user)
    gone = create_rule(spec=spec("gone"), enabled=True, actor_user=author.user)
    disabled = create_rule(spec=spec("disabled"), enabled=True, actor_user=author.user)
    publish_without_review(actor=TESTER)
    update_rule(rule=changed, spec=spec("changed", message="No."), enabled=True, actor_user=author.user)
    update_rule(rule=disabled, spec=spec("disabled"), enabled=False, actor_user=author.user)
    author.post(reverse("admin:rulebook_abacrule_delete", args=[gone.pk]), {"post": "yes"})
    create_rule(spec=spec("new"), enabled=True, actor_user=author.user)
    pending = author.get(reverse(PROPOSE)).context["pending"]
    assert {change.rule_id: change.kind for change in pending.changes} == {
        "changed": "changed",
        "disabled": "removed",
        "gone": "removed",
        "new": "added",
    }
    listing = author.get(list_url(AbacRule)).content.decode()
    for status in ("Changed, not yet in force", "Disabled, still in force", "Not yet in the active revision"):
        assert status in listing
    assert "4 changes are not in force yet." in listing
    assert OutboxEntry.objects.filter(kind="rule.deleted").count() == 1


def test_nothing_to_propose_is_reported(market, author):
    page = author.get(reverse(PROPOSE)).content.decode()
    assert "Nothing to propose" in page
    assert "Propose and check" not in page


def test_the_first_draft_lists_the_system_rules(author, db):
    page = author.get(reverse(PROPOSE)).content.decode()
    assert "No revision is active." in page
    assert "system rules" in page


def test_a_rule_that_no_longer_fits_prevents_every_proposal(market, author):
    rule = create_rule(spec=spec(), enabled=True, actor_user=author.user)
    AbacRule.objects.filter(pk=rule.pk).update(condition={"attr": "gone", "op": "eq", "value": "x"})
    assert "has to be corrected" in author.get(list_url(AbacRule)).content.decode()
    page = author.get(reverse(PROPOSE)).content.decode()
    assert "is not a known attribute" in page
    assert "Propose and check" not in page
