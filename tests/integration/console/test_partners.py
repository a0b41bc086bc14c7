"""The console's pages about tiers and partners."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from governance.audit.models import OutboxEntry
from governance.jobs.choices import JobState
from governance.jobs.models import Job
from governance.partners.choices import PartnerStatus
from governance.partners.entries import PARTNER
from governance.partners.models import AccessToken, Partner, Tier
from governance.partners.partners import suspend_partner
from governance.partners.queries import live_token
from tests.factories.audit import newest_data
from tests.factories.marketplace import Marketplace
from tests.factories.partners import ACTOR, TierFactory, raw_token
from tests.html_forms import as_sent


def page(table: str, part: str = "add", *keys: object) -> str:
    return reverse(f"admin:partners_{table}_{part}", args=keys)


def act(boss: Client, partner: Partner, part: str, **typed: object) -> str:
    """Open the page of one action, type, send it, and return what the next page says."""
    address = page("partner", part, partner.pk)
    sent = as_sent(boss.get(address).text) | {name: [str(value)] for name, value in typed.items()}
    return boss.post(address, sent, follow=True).text


def user_of(client: Client) -> str:
    return str(User.objects.get(username="boss").pk)


def test_a_tier_is_made_changed_and_deleted_on_record(boss: Client) -> None:
    tier = {"name": "Trial", "slug": "trial", "requests_per_minute": "60", "max_open_jobs": "5"}
    assert boss.post(page("tier"), tier).status_code == 302
    made = Tier.objects.get()

    change = page("tier", "change", made.pk)
    assert boss.post(change, as_sent(boss.get(change).text) | {"max_open_jobs": ["7"]}).status_code == 302
    assert Tier.objects.get().max_open_jobs == 7
    assert boss.post(page("tier", "delete", made.pk), {"post": "yes"}).status_code == 302

    kinds = [entry.kind for entry in OutboxEntry.objects.filter(subject_type="tier").order_by("id")]
    assert kinds == ["tier.created", "tier.changed", "tier.deleted"]
    assert {entry.actor_id for entry in OutboxEntry.objects.all()} == {user_of(boss)}


def test_a_tier_that_partners_have_cannot_be_deleted(boss: Client, market: Marketplace) -> None:
    boss.post(page("tier", "delete", market.partner.tier_id), {"post": "yes"})

    assert Tier.objects.filter(pk=market.partner.tier_id).exists()


def test_a_taken_slug_is_reported_at_its_field(boss: Client, market: Marketplace) -> None:
    partner = {"name": "Lumen", "slug": "lumen", "tier": market.partner.tier_id, "region": "de"}

    answer = boss.post(page("partner"), partner)

    assert "Partner with this Slug already exists." in answer.text
    assert Partner.objects.count() == 1


def test_a_partner_is_added(boss: Client) -> None:
    partner = {"name": "Lumen Prints", "slug": "lumen", "tier": TierFactory.create().pk, "region": "de"}

    answer = boss.post(page("partner"), partner, follow=True)

    made = Partner.objects.get()
    assert (made.region, made.status) == ("DE", PartnerStatus.ACTIVE)
    assert "partner.created" in answer.text


def test_a_partner_is_renamed_moved_and_given_another_region(boss: Client, market: Marketplace) -> None:
    sandbox = TierFactory.create(slug="sandbox")

    act(boss, market.partner, "rename", name="Lumen Print Works")
    act(boss, market.partner, "move", tier=sandbox.pk)
    shown = act(boss, market.partner, "region", region="fr")

    partner = Partner.objects.get()
    assert (partner.name, partner.tier, partner.region) == ("Lumen Print Works", sandbox, "FR")
    assert "Tier: <del>production</del> → sandbox" in shown
    assert "Region: <del>DE</del> → FR" in shown


def test_a_suspension_says_what_it_does_and_has_a_reason(boss: Client, market: Marketplace) -> None:
    market.submit()
    address = page("partner", "suspend", market.partner.pk)

    text = boss.get(address).text
    assert "is denied everything from the next request on" in text
    assert "1: each ends as cancelled within seconds, without a result" in text
    shown = act(boss, market.partner, "suspend", reason="unpaid")

    assert Partner.objects.get().status == PartnerStatus.SUSPENDED
    assert "Reinstate" in shown
    assert newest_data("partner.suspended", PARTNER.ref(market.partner))["reason"] == "unpaid"
    act(boss, market.partner, "reinstate", reason="resolved")
    assert Partner.objects.get().status == PartnerStatus.ACTIVE
    assert newest_data("partner.reinstated", PARTNER.ref(market.partner))["reason"] == "resolved"


@pytest.mark.parametrize("reason", ["", "because"])
def test_a_suspension_needs_a_reason_that_is_known(boss: Client, market: Marketplace, reason: str) -> None:
    act(boss, market.partner, "suspend", reason=reason)

    assert Partner.objects.get().status == PartnerStatus.ACTIVE


def test_a_suspension_by_somebody_else_meanwhile_is_shown(boss: Client, market: Marketplace) -> None:
    address = page("partner", "suspend", market.partner.pk)
    sent = as_sent(boss.get(address).text) | {"reason": ["unpaid"]}
    suspend_partner(partner=market.partner, reason="terms_violated", actor=ACTOR)

    answer = boss.post(address, sent)

    assert "The partner was changed meanwhile." in answer.text
    assert "<td>Status</td><td>active</td>" in answer.text
    assert "is suspended already" in boss.post(address, as_sent(answer.text)).text


@pytest.mark.parametrize("part", ["rename", "move", "region", "suspend", "reinstate"])
def test_only_who_may_change_partners_sees_the_actions(
    person: Callable[..., Client], market: Marketplace, part: str
) -> None:
    auditor = person("Auditor")

    assert auditor.get(page("partner", part, market.partner.pk)).status_code == 403
    assert "Suspend" not in auditor.get(page("partner", "change", market.partner.pk)).text


def test_the_page_of_a_partner_takes_no_form(boss: Client, market: Marketplace) -> None:
    assert boss.post(page("partner", "change", market.partner.pk), {"status": "suspended"}).status_code == 403
    assert Partner.objects.get().status == PartnerStatus.ACTIVE


def test_revoking_says_what_happens_to_jobs(boss: Client, market: Marketplace) -> None:
    market.submit()
    token = AccessToken.objects.get()
    other = live_token(raw_token(market.client))
    submitted_with_another = market.submit(grant=other).job
    Job.objects.filter(pk=submitted_with_another.pk).update(state=JobState.SEALING)

    of_partner = " ".join(boss.get(page("partner", "revoke-tokens", market.partner.pk)).text.split())
    of_token = " ".join(boss.get(page("accesstoken", "revoke", token.pk)).text.split())

    assert "Jobs that were submitted with any of them end, also one that is being accepted now." in of_partner
    assert "1: each ends as cancelled within seconds, without a result" in of_partner
    assert "1: each is still released, since its release came first" in of_partner
    assert "other tokens of the client and their jobs are not affected" in of_token
    assert "1: each ends as cancelled within seconds, without a result" in of_token
    assert "is still released" not in of_token


def test_a_tier_gets_limits_of_images_and_loses_them(boss: Client) -> None:
    entered = {"name": "Small", "slug": "small", "requests_per_minute": "60", "max_open_jobs": "5"}
    assert boss.post(page("tier"), entered | {"max_image_edge": "2000"}).status_code == 302
    tier = Tier.objects.get(slug="small")
    assert (tier.max_image_edge, tier.max_image_pixels) == (2000, None)

    change = page("tier", "change", tier.pk)
    shown = boss.get(change).text
    assert "Empty: 16,384, as the settings allow everybody." in shown
    assert boss.post(change, as_sent(shown) | {"max_image_edge": [""]}).status_code == 302
    assert Tier.objects.get(slug="small").max_image_edge is None
