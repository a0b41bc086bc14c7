"""The life of policy as people see it: proposing, replaying, reviewing, rolling back, freezing. Pictures are kept."""

import pytest

from governance.rulebook.queries import active_revision
from tests.browser.conftest import keep
from tests.browser.lifecycle import approve_and_activate, propose, replay, submit
from tests.factories.rulebook import AbacRuleFactory

GERMAN = {
    "all": [{"attr": "subject.region", "op": "eq", "value": "DE"}, {"attr": "asset.width", "op": "gt", "value": 1}]
}


def test_a_draft_from_proposal_to_rollback(console, reviewer, story):
    AbacRuleFactory(slug="no-germany", actions=["asset.infer"], condition=GERMAN)
    AbacRuleFactory(
        slug="no-tests", actions=["model.invoke"], condition={"attr": "subject.region", "op": "eq", "value": "DE"}
    )
    first = active_revision()
    propose(console, "Germany is off", "A dispute about the licence.")
    address = console.url
    keep(console, "draft-checked-light")
    replay(console)
    keep(console, "replay-light")
    console.emulate_media(color_scheme="dark")
    keep(console, "replay-dark")
    console.goto(address)
    submit(console)
    keep(console, "draft-in-review-dark")
    console.emulate_media(color_scheme="light")
    console.wait_for_selector("text=You wrote a part of this draft.")
    assert console.locator("a:has-text('Approve')").count() == 0
    reviewer.goto(address)
    reviewer.click("a:has-text('Approve')")
    keep(reviewer, "draft-approve-light")
    approve_and_activate(reviewer, address)
    keep(reviewer, "draft-active-light")
    reviewer.click("text=Rego:")
    keep(reviewer, "draft-diff-light")

    console.goto("/admin/rulebook/policyrevision/")
    console.click("text=Revision 2")
    keep(console, "revision-active-light")
    console.click("text=Roll back to the previous revision")
    console.fill("[name=reason]", "It denied too much.")
    keep(console, "rollback-light")
    console.click("text=Roll back now")
    console.wait_for_selector("text=Revision 1 decides again.")
    assert active_revision() == first
    console.goto("/admin/rulebook/policydraft/")
    console.wait_for_selector("text=Superseded")
    keep(console, "drafts-light")


def test_the_brake_is_one_click_away_and_two_let_it_go(console, reviewer, story):
    console.goto("/admin/rulebook/policyfreeze/")
    keep(console, "freeze-none-light")
    console.click("text=Freeze the policy")
    console.fill("[name=reason]", "A rule lets everything through.")
    console.click("text=Deny everything now")
    console.wait_for_selector("text=Ask to lift it")
    keep(console, "freeze-light")
    console.goto("/admin/")
    console.wait_for_selector("text=The policy is frozen: everything is denied.")
    keep(console, "dashboard-frozen-light")
    console.click("text=Look at the freeze")
    console.click("text=Ask to lift it")
    console.click("text=Ask for it")
    console.wait_for_selector("text=A second person must agree.")
    reviewer.goto(console.url)
    reviewer.click("text=Agree and lift")
    reviewer.click("text=Lift it now")
    reviewer.wait_for_selector("text=The freeze is lifted")


@pytest.mark.parametrize("width", [390, 820])
def test_small_screens_show_the_lifecycle_too(width, console, story):
    AbacRuleFactory(slug="no-germany", actions=["asset.infer"], condition=GERMAN)
    propose(console, "Germany is off")
    address = console.url
    replay(console)
    console.set_viewport_size({"width": width, "height": 900})
    keep(console, f"replay-{width}")
    console.goto(address)
    keep(console, f"draft-{width}")


def test_a_decision_is_made_once_more(console, story):
    console.goto("/admin/decisions/decisionrecord/")
    console.locator("td a[href*='decisionrecord'], th a[href*='decisionrecord']").first.click()
    console.click("text=Make it once more")
    console.wait_for_selector("text=It agrees.")
    keep(console, "decision-remade-light")
