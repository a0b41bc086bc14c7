"""Partners and tiers in a browser: suspending one, and a form that somebody else overtook."""

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from governance.console.presentation import page_url
from governance.partners.models import Partner, Tier
from governance.partners.partners import suspend_partner
from governance.partners.tiers import change_tier
from tests.browser.conftest import keep
from tests.factories.marketplace import Marketplace
from tests.factories.partners import ACTOR


def test_a_partner_is_suspended_with_a_reason_and_reinstated(console: Page, story: Marketplace) -> None:
    console.goto(page_url(story.partner))
    keep(console, "partner-page")
    console.get_by_role("link", name="Suspend").click()
    expect(console.get_by_text("is denied everything from the next request on").first).to_be_visible()
    keep(console, "partner-suspend")
    console.get_by_label("Reason").select_option("unpaid")
    console.get_by_role("button", name="Suspend the partner").click()

    expect(console.get_by_text("partner.suspended").first).to_be_visible()
    assert Partner.objects.get().status == "suspended"
    keep(console, "partner-suspended")

    console.get_by_role("link", name="Reinstate").click()
    console.get_by_label("Reason").select_option("resolved")
    console.get_by_role("button", name="Make active again").click()
    expect(console.get_by_text("partner.reinstated").first).to_be_visible()
    assert Partner.objects.get().status == "active"


def test_a_form_that_somebody_overtook_shows_what_changed_and_keeps_what_was_typed(
    console: Page, market: Marketplace
) -> None:
    tier = market.partner.tier
    console.goto(page_url(tier))
    console.get_by_label("Max open jobs").fill("250")
    change_tier(tier=tier, name="Production EU", requests_per_minute=900, max_open_jobs=100, actor=ACTOR)
    console.get_by_role("button", name="Save").click()

    expect(console.get_by_text("The tier was changed meanwhile.").first).to_be_visible()
    keep(console, "changed-meanwhile")
    expect(console.get_by_label("Max open jobs")).to_have_value("250")
    expect(console.get_by_label("Requests per minute")).to_have_value("900")
    console.get_by_role("button", name="Save").click()

    expect(console.get_by_text("was saved.").first).to_be_visible()
    saved = Tier.objects.get(pk=tier.pk)
    assert (saved.name, saved.requests_per_minute, saved.max_open_jobs) == ("Production EU", 900, 250)
    keep(console, "tier-on-record")


def test_a_suspension_by_two_people_at_once_is_explained(console: Page, market: Marketplace) -> None:
    console.goto(reverse("admin:partners_partner_suspend", args=[market.partner.pk]))
    suspend_partner(partner=market.partner, reason="terms_violated", actor=ACTOR)
    console.get_by_label("Reason").select_option("unpaid")
    console.get_by_role("button", name="Suspend the partner").click()

    expect(console.get_by_text("The partner was changed meanwhile.").first).to_be_visible()
    keep(console, "partner-changed-meanwhile")


def test_accounts_are_kept_as_pictures(console: Page, market: Marketplace) -> None:
    for name, address in {
        "user-add": reverse("admin:auth_user_add"),
        "user": page_url(User.objects.get(username="boss")),
        "partner-add": reverse("admin:partners_partner_add"),
        "partner-rename": reverse("admin:partners_partner_rename", args=[market.partner.pk]),
    }.items():
        console.goto(address)
        assert keep(console, name).stat().st_size > 0


def test_a_slug_is_offered_from_the_name_until_one_is_typed(console: Page, market: Marketplace) -> None:
    console.goto(reverse("admin:partners_tier_add"))
    slug = console.get_by_label("Slug")
    console.get_by_label("Name").press_sequentially("Große Bühne & Co")
    expect(slug).to_have_value("gro-e-buhne-co")
    slug.fill("stage")
    console.get_by_label("Name").press_sequentially(" KG")

    expect(slug).to_have_value("stage")
