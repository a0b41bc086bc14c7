"""A rule made by hand in the console decides what the API answers, from its activation to that of its removal."""

from typing import Any
from uuid import uuid4

import pytest
import requests

from governance.rulebook.models import AbacRule, PolicyRevision
from tests.browser.conftest import keep
from tests.browser.lifecycle import put_into_force
from tests.factories.partners import raw_token
from tests.waiting import PATIENCE_SECONDS

MESSAGE = "Works are not available to partners in DE."


@pytest.fixture
def ask(market, live_server):
    """Return what submits a job over HTTP, as a partner's software does."""
    token = raw_token(market.client)

    def submit() -> requests.Response:
        body: dict[str, Any] = {
            "model": "espcn-x2",
            "task": "upscale",
            "purpose": "commercial",
            "inputs": [str(market.asset.id)],
        }
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        return requests.post(f"{live_server.url}/api/v1/jobs", json=body, headers=headers, timeout=PATIENCE_SECONDS)

    return submit


def write_rule(page) -> None:
    page.goto("/admin/rulebook/abacrule/")
    page.click("a:has-text('Add ABAC rule')")
    page.fill("[name=slug]", "no-partners-in-germany")
    with page.expect_response("**/form-schema/**"):
        page.check("[name=actions][value='asset.infer']")
    page.select_option("[data-part=attr]", "subject.region")
    page.select_option("[data-part=op]", "in")
    page.fill(".cb-token-input", "DE")
    page.press(".cb-token-input", "Enter")
    page.fill("[name=reason_code]", "region_blocked")
    page.fill("[name=message]", "Works are not available to partners in {subject.region}.")
    page.wait_for_selector("#rule-sentence[data-tone=good]")


def test_a_rule_from_the_form_denies_until_it_is_removed(console, reviewer, ask):
    assert ask().status_code == 202

    write_rule(console)
    assert console.inner_text("#rule-sentence") == "Deny asset.infer when the partner's region is one of DE."
    assert "input.subject.region" in console.text_content("#rule-rego")
    assert "Would match 1 of the last 1 decisions" in console.inner_text("#rule-matches")
    keep(console, "rule-new-light")
    console.click("text=Save rule")
    console.wait_for_selector("text=Not yet in the active revision")
    assert ask().status_code == 202

    console.click("text=Propose a draft")
    console.wait_for_selector("text=Deny asset.infer when the partner's region is one of DE.")
    keep(console, "propose-light")
    put_into_force(console, reviewer, "Germany is off")
    denied = ask()
    assert denied.status_code == 403
    assert denied.json()["reasons"] == [{"code": "region_blocked", "message": MESSAGE}]

    console.goto("/admin/rulebook/abacrule/")
    console.click("text=no-partners-in-germany")
    console.wait_for_selector("text=In force")
    console.click("text=Delete rule")
    console.click("[type=submit]:has-text('Yes')")
    console.wait_for_selector("text=1 change is not in force yet.")
    assert ask().status_code == 403
    put_into_force(console, reviewer, "Germany is back")
    assert ask().status_code == 202
    assert [revision.note for revision in PolicyRevision.objects.order_by("number")] == ["tests", "Germany is off"]


def test_a_rule_that_makes_no_sense_is_refused_at_the_row(console):
    write_rule(console)
    console.click("text=Add condition")
    row = console.locator(".cb-row").nth(1)
    row.locator("[data-part=attr]").select_option("asset.width")
    row.locator("[data-part=op]").select_option("between")
    row.locator("[data-part=value]").nth(0).fill("500")
    row.locator("[data-part=value]").nth(1).fill("100")
    row.locator("text=Give two values, the lower one first.").wait_for()
    console.fill("[name=reason_code]", "Region Blocked")
    console.click("text=Save rule")
    console.wait_for_selector("text=The rule was not saved.")
    row.locator("text=Give two values, the lower one first.").wait_for()
    assert row.locator("[data-part=value]").nth(0).get_attribute("aria-invalid") == "true"
    assert console.input_value("[name=slug]") == "no-partners-in-germany"


def test_a_rule_can_be_built_with_the_keyboard_alone(console):
    console.goto("/admin/rulebook/abacrule/add/")
    console.focus("[name=slug]")
    keys = console.keyboard
    keys.type("keyboard-rule")
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Tab")
    with console.expect_response("**/form-schema/**"):
        keys.press("Space")
    assert console.is_checked("[name=actions][value='asset.infer']")
    console.focus("[data-part=attr]")
    keys.type("the partner's reg")
    keys.press("Tab")
    assert console.input_value("[data-part=attr]") == "subject.region"
    assert console.evaluate("document.activeElement.dataset.part") == "op"
    keys.type("is one of")
    keys.press("Tab")
    keys.press("Tab")
    keys.type("DE,FR")
    keys.press("Enter")
    assert console.locator(".cb-token").all_inner_texts() == ["DE\nclose", "FR\nclose"]
    keys.press("Backspace")
    assert console.locator(".cb-token").count() == 1
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Enter")
    assert console.locator(".cb-row").count() == 2
    assert console.evaluate("document.activeElement.dataset.part") == "attr"
    console.locator(".cb-row").nth(1).get_by_label("Remove this condition").press("Enter")
    assert console.locator(".cb-row").count() == 1
    console.wait_for_selector("#rule-sentence[data-tone=good]")
    assert console.inner_text("#rule-sentence").endswith("when the partner's region is one of DE.")


def test_every_shape_of_condition_survives_the_builder(console, market):
    """What the form loads and saves again without a change is the same rule."""
    console.goto("/admin/rulebook/abacrule/add/")
    by_width = {"attr": "asset.width", "op": "between", "value": [1, 9]}
    by_region = {"attr": "creator.region", "op": "eq", "other": "subject.region"}
    by_token = {"attr": "token.any_model", "op": "eq", "value": False}
    by_purpose = {"attr": "purpose", "op": "in", "value": ["research", "commercial"]}
    by_time = {"attr": "request.time", "op": "gt", "value": "2026-11-20T16:00:00.000000Z"}
    shapes = [
        by_width,
        {"not": {"attr": "asset.dataset", "op": "exists"}},
        {"all": [by_width, by_region]},
        {"not": {"any": [by_token, by_purpose]}},
        {"not": {"not": by_time}},
        {"any": [{"not": {"all": [by_purpose, by_time]}}, {"all": [by_token, {"not": by_width}]}]},
    ]
    script = """(shapes) => shapes.map((shape) => {
        const builder = Object.create(ConditionBuilder.prototype);
        return builder.jsonOf(builder.groupFrom(shape), "condition");
    })"""
    assert console.evaluate(script, shapes) == shapes


def test_obligations_are_chosen_and_filled_in(console):
    write_rule(console)
    assert not console.is_visible("[data-obligations]")
    console.check("[name=effect][value=permit]")
    console.select_option("select[aria-label='Add an obligation']", "attribution")
    console.wait_for_selector("#rule-sentence[data-tone=bad]")
    console.fill("[data-obligations] input", "Ada Lovelace")
    console.wait_for_selector("#rule-sentence:has-text('the output names \"Ada Lovelace\" as its author')")
    console.select_option("select[aria-label='Add an obligation']", "embed_provenance")
    console.click("[data-obligations] .cb-row:last-of-type [aria-label='Remove this obligation']")
    console.select_option("select[aria-label='Add an obligation']", "limit_resolution")
    console.fill("[data-obligations] input[type=number]", "512")
    keep(console, "rule-obligations-light")
    console.click("text=Save rule")
    console.wait_for_selector("text=Not yet in the active revision")

    assert AbacRule.objects.get().obligations == [
        {"kind": "attribution", "parameters": {"text": "Ada Lovelace"}},
        {"kind": "limit_resolution", "parameters": {"max_edge": 512}},
    ]
    assert console.input_value("[data-obligations] input[type=number]") == "512"
