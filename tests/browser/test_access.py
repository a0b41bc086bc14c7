"""More access for a user, proposed by one person and approved by another."""

import pytest
from django.contrib.auth.models import User

from tests.browser.conftest import PASSWORD, keep

pytestmark = pytest.mark.django_db(transaction=True)


def test_access_is_proposed_and_approved_by_two_people(console, reviewer):
    ada = User.objects.create_user("ada", password=PASSWORD, is_staff=True)
    console.goto(f"/admin/auth/user/{ada.pk}/change/")
    keep(console, "user")
    role = console.locator("[name=groups] option[value='Policy author'], [name=groups][value='Policy author']")
    role.first.evaluate("each => { each.selected = true; each.checked = true; }")
    console.click("main button[type=submit], #content-main button[type=submit]")
    console.wait_for_selector("text=waits for somebody else to approve it")
    console.click("text=For ada: Policy author")
    console.wait_for_selector("text=You proposed this.")
    keep(console, "access-proposal")
    reviewer.goto(console.url)
    reviewer.click("text=Approve")
    reviewer.click("button:has-text('Approve')")
    reviewer.wait_for_selector("text=Approved.")
    assert [group.name for group in ada.groups.all()] == ["Policy author"]
