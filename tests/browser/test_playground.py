"""The playground in a real browser: by mouse, and by keyboard alone."""

import json

from governance.decisions.models import DecisionRecord
from tests.browser.conftest import keep

PLAYGROUND = "/admin/decisions/decisionrecord/playground/"


def test_a_question_is_picked_asked_and_changed(console, market):
    console.goto(PLAYGROUND)
    keep(console, "playground-empty-light")
    console.select_option("#id_client", market.client.client_id)
    console.select_option("#id_action", "asset.infer")
    console.select_option("#id_purpose", "commercial")
    console.fill("#id_work", str(market.asset.id))
    console.select_option("#id_model", "espcn-x2")
    console.click("button:has-text('Ask')")
    console.wait_for_selector("text=Policy permits this now.")
    console.wait_for_selector("text=They agree")

    console.fill("#id_changes", json.dumps({"asset.status": "quarantined"}))
    console.click("button:has-text('Ask')")
    console.wait_for_selector("text=The work is in quarantine and cannot be used.")
    console.click("summary:has-text('did not match, and why')")
    seen = console.locator("tr:has-text('asset-consented')")
    assert '"quarantined"' in seen.inner_text()
    keep(console, "playground-answer-light")


def test_a_pasted_request_is_asked_by_keyboard_alone(console, market):
    request = {
        "subject": {"type": "client", "id": market.client.client_id},
        "action": {"name": "model.invoke"},
        "resource": {"type": "model", "id": "espcn-x2"},
        "context": {"purpose": "non_commercial"},
    }
    console.goto(PLAYGROUND)
    console.focus("#id_pasted")
    console.keyboard.insert_text(json.dumps(request))
    console.keyboard.press("Tab")
    console.keyboard.press("Tab")
    console.keyboard.press("Enter")
    console.wait_for_selector("text=does not cover the purpose non_commercial")


def test_what_is_missing_is_said_at_its_field(console):
    console.goto(PLAYGROUND)
    console.click("button:has-text('Ask')")
    console.wait_for_selector("#field-client .as-field__errors")
    keep(console, "playground-errors-light")


def test_a_decision_leads_to_its_question(console, market):
    market.submit(purpose="research")
    decision = DecisionRecord.objects.get()
    console.goto(f"/admin/decisions/decisionrecord/{decision.pk}/change/")
    console.click("section:has-text('Run inference on a work') >> text=Try it in the playground")
    console.click("button:has-text('Ask')")
    console.wait_for_selector("text=has not given consent for asset.infer for the purpose research")
    keep(console, "playground-from-decision-light")
