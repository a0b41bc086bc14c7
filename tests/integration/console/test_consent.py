"""Granting and withdrawing consent in the console, and the levels that can be granted."""

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from governance.audit.models import OutboxEntry
from governance.catalog.choices import AssetStatus, CreatorStatus
from governance.catalog.models import ConsentGrant, Creator
from governance.catalog.queries import effective_consent
from governance.console.presentation import page_url
from governance.kernel import clock
from tests.factories.marketplace import make_asset, make_partner


@pytest.fixture
def manager(person):
    return person("Governance manager")


def grant_url(creator, work=None):
    query = {"work": work.pk} if work else None
    return reverse("admin:catalog_creator_grant", args=[creator.pk], query=query)


def withdraw_url(creator, work=None):
    query = {"work": work.pk} if work else None
    return reverse("admin:catalog_creator_withdraw", args=[creator.pk], query=query)


def test_a_grant_goes_on_record_with_its_terms(market, manager):
    make_partner("umbra")
    letter = b"I agree. Ada"
    answer = manager.post(
        grant_url(market.creator, market.asset),
        {
            "level_version": market.level.in_force_id,
            "regions": "de, fr",
            "partners_excluded": ["umbra"],
            "valid_until": "2999-01-01T00:00:00",
            "method": "signed_form",
            "document": SimpleUploadedFile("letter.txt", letter),
        },
    )
    grant = ConsentGrant.objects.filter(asset=market.asset).get()
    assert answer.url == page_url(market.creator)
    assert (grant.regions, grant.partners_excluded, grant.valid_until.year) == (["DE", "FR"], ["umbra"], 2999)
    assert grant.evidence_digest == hashlib.sha256(letter).hexdigest()
    assert (grant.recorded_by_type, grant.recorded_by_id) == ("user", str(manager.user.pk))
    assert OutboxEntry.objects.latest("id").kind == "consent.granted"
    page = manager.get(page_url(market.creator)).content.decode()
    assert "Granted <strong>Commercial</strong>" in page
    assert "never umbra" in page


@pytest.mark.parametrize(
    ("field", "data", "sentence"),
    [
        ("regions", {"regions": "XX"}, "Unknown regions"),
        ("valid_until", {"valid_until": "2001-01-01T00:00:00"}, "The end must be after the start."),
        ("evidence_digest", {"evidence_digest": "abc"}, "64 lower-case hexadecimal digits"),
        ("level_version", {"level_version": ""}, "This field is required."),
        ("partners_allowed", {"partners_allowed": ["nobody"]}, "nobody is not one of the available choices"),
    ],
)
def test_what_is_not_valid_is_reported_at_the_field(field, data, sentence, market, manager):
    good = {"level_version": market.level.in_force_id, "method": "console"}
    answer = manager.post(grant_url(market.creator), good | data)
    assert answer.status_code == 200
    assert sentence in " ".join(answer.context["form"].errors[field])
    assert sentence in answer.content.decode()
    assert ConsentGrant.objects.count() == 1


def test_a_document_and_a_digest_are_one_too_many(market, manager):
    data = {"level_version": market.level.in_force_id, "method": "console", "evidence_digest": "a" * 64}
    answer = manager.post(grant_url(market.creator), data | {"document": SimpleUploadedFile("a.txt", b"x")})
    assert "Give either the document or its digest." in answer.context["form"].errors["evidence_digest"]


def test_a_withdrawal_says_what_it_touches_and_is_done_once_confirmed(market, manager):
    make_asset(market.creator)
    market.submit()
    first = manager.post(withdraw_url(market.creator), {"scope": "everything", "method": "email"})
    page = first.content.decode()
    assert "2 works lose consent at once." in page
    assert "1 open job is decided again" in page
    assert ConsentGrant.objects.count() == 1
    second = manager.post(withdraw_url(market.creator), {"scope": "everything", "method": "email", "confirmed": "yes"})
    assert second.url == page_url(market.creator)
    assert effective_consent(asset=market.asset, at=clock.now()).state == "withdrawn"
    assert "Withdrew consent" in manager.get(page_url(market.creator)).content.decode()


def test_a_withdrawal_can_be_for_one_work(market, manager):
    other = make_asset(market.creator)
    url = withdraw_url(market.creator, market.asset)
    assert "1 work loses consent at once." in manager.post(url, {"scope": "work", "method": "email"}).content.decode()
    manager.post(url, {"scope": "work", "method": "email", "confirmed": "yes"})
    states = [effective_consent(asset=asset, at=clock.now()).state for asset in (market.asset, other)]
    assert states == ["withdrawn", "active"]


def test_a_withdrawal_of_the_default_spares_works_with_a_statement_of_their_own(market, manager):
    own = make_asset(market.creator)
    manager.post(grant_url(market.creator, own), {"level_version": market.level.in_force_id, "method": "email"})
    answer = manager.post(withdraw_url(market.creator), {"scope": "default", "method": "email"})
    assert answer.context["reach"].works == 1
    manager.post(withdraw_url(market.creator), {"scope": "default", "method": "email", "confirmed": "yes"})
    states = [effective_consent(asset=asset, at=clock.now()).state for asset in (market.asset, own)]
    assert states == ["withdrawn", "active"]


def test_a_work_of_somebody_else_is_not_found(market, manager):
    other = Creator.objects.create(slug="bruno", display_name="Bruno", region="DE")
    assert manager.get(grant_url(other, market.asset)).status_code == 404
    assert manager.get(withdraw_url(other, market.asset)).status_code == 404


def test_a_creator_is_suspended_and_made_active_through_the_service(market, manager):
    url = reverse("admin:catalog_creator_suspend", args=[market.creator.pk])
    for status in (CreatorStatus.SUSPENDED, CreatorStatus.ACTIVE):
        assert manager.post(url, {"reason": "A claim."}).url == page_url(market.creator)
        market.creator.refresh_from_db()
        assert market.creator.status == status
    assert OutboxEntry.objects.filter(kind="creator.status_changed").count() == 2
    assert market.creator.status_reason == "A claim."
    assert "A claim." in manager.get(page_url(market.creator)).content.decode()


def test_a_moderator_quarantines_a_work_and_releases_it(market, person):
    moderator = person("Moderator")
    url = reverse("admin:catalog_asset_quarantine", args=[market.asset.pk])
    for status in (AssetStatus.QUARANTINED, AssetStatus.ACTIVE):
        moderator.post(url, {"reason": "A claim."})
        market.asset.refresh_from_db()
        assert market.asset.status == status


def erase_url(creator):
    return reverse("admin:catalog_creator_erase", args=[creator.pk])


def test_neither_is_done_without_a_reason(market, manager):
    for url in [
        reverse("admin:catalog_creator_suspend", args=[market.creator.pk]),
        reverse("admin:catalog_asset_quarantine", args=[market.asset.pk]),
    ]:
        assert "reason" in manager.post(url).context["form"].errors
    market.creator.refresh_from_db()
    market.asset.refresh_from_db()
    assert (market.creator.status, market.asset.status) == ("active", "active")


def test_erasure_says_what_goes_and_what_stays_and_needs_the_slug(market, manager):
    page = manager.get(erase_url(market.creator)).content.decode()
    assert "What goes" in page
    assert "1 work loses it at once" in page
    assert "all of them can still be verified" in page

    refused = manager.post(erase_url(market.creator), {"method": "email", "slug": "bea"})
    assert "This is not the slug" in refused.content.decode()
    assert Creator.objects.get(pk=market.creator.pk).erased_at is None

    answer = manager.post(erase_url(market.creator), {"method": "email", "slug": "ada"})
    assert answer.url == page_url(market.creator)
    creator = Creator.objects.get(pk=market.creator.pk)
    assert (creator.display_name, creator.email) == ("Erased creator", "")
    after = manager.get(page_url(creator)).content.decode()
    assert "The personal data was erased" in after
    assert "Erase personal data" not in after
    assert "Grant consent" not in after
    again = manager.post(erase_url(creator), {"method": "email", "slug": "ada"}).content.decode()
    assert "was erased before" in again


def test_erasure_needs_the_right_to_delete(market, person):
    assert person("Moderator").get(erase_url(market.creator)).status_code == 403


def test_names_are_committed_to_when_a_creator_is_added_or_renamed(manager):
    entered = {"display_name": "Bea Roth", "slug": "bea", "email": "bea@example.org", "region": "DE"}
    manager.post(reverse("admin:catalog_creator_add"), entered)
    creator = Creator.objects.get(slug="bea")
    manager.post(page_url(creator), {**entered, "display_name": "Bea Roth-Klein"})

    committed = OutboxEntry.objects.filter(kind="creator.committed").order_by("id")
    bodies = [bytes(entry.body).decode() for entry in committed]
    first, second = (body for body in bodies if str(creator.pk) in body)
    assert '"display_name"' in first
    assert '"email"' in first
    assert '"email"' not in second
    assert "Bea" not in "".join(bodies)
