"""The public pages of what statements say, kept as pictures, wide and narrow."""

import json

import pytest

from governance.transparency.predicates.catalogue import all_predicates
from tests.browser.conftest import keep

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESSES = {"predicates": "/predicates/"} | {
    f"predicate-{each.name.replace('/', '-')}": f"/predicates/{each.name}" for each in all_predicates()
}


@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_are_kept_as_pictures(width, page):
    page.set_viewport_size({"width": width, "height": 1000})
    for name, address in ADDRESSES.items():
        page.goto(address)
        assert keep(page, f"{name}-{width}").stat().st_size > 0


def test_a_page_is_kept_in_the_dark(page):
    page.emulate_media(color_scheme="dark")
    page.goto("/predicates/consent-change/v1")
    keep(page, "predicate-consent-change-v1-dark")


def test_whoever_checks_a_receipt_finds_what_it_says(page):
    page.goto("/verify")
    page.click("text=What receipts say")
    page.click("text=Consent change")
    page.wait_for_selector("text=terms.evidence_sha256")
    page.locator("#example-1").scroll_into_view_if_needed()
    keep(page, "predicate-example")
    assert json.loads(page.locator("#example-2").inner_text())["predicate"]["change"] == "withdrawn"
    with page.expect_navigation():
        page.click("text=All statements")
    assert page.locator(".as-kinds > li").count() == len(all_predicates())
