"""What people enter in the console's plain forms goes on record, by the names of the fields alone."""

import json

from django.urls import reverse

from governance.audit.models import OutboxEntry
from governance.catalog.models import Creator
from governance.partners.models import Partner, Tier


def entry(kind):
    found = OutboxEntry.objects.get(kind=kind)
    return json.loads(bytes(found.body))


def test_a_changed_partner_is_on_record(admin_client, market):
    partner = market.partner
    url = reverse("admin:partners_partner_change", args=[partner.pk])
    form = {"name": "Lumen Prints", "tier": partner.tier_id, "region": "FR", "status": "suspended"}
    admin_client.post(url, form)
    assert Partner.objects.get().status == "suspended"
    assert set(entry("partner.changed")["data"]["fields"]) >= {"name", "region"}


def test_what_was_entered_is_not(admin_client, db):
    admin_client.post(
        reverse("admin:catalog_creator_add"),
        {"display_name": "Ada Lindqvist", "slug": "ada", "email": "ada@example.com", "region": "SE"},
    )
    assert Creator.objects.get().email == "ada@example.com"
    assert "Lindqvist" not in json.dumps(entry("creator.created"))
    assert "ada@example" not in json.dumps(entry("creator.created"))


def test_a_deleted_tier_is_on_record(admin_client, db):
    tier = Tier.objects.create(slug="trial", name="Trial")
    admin_client.post(reverse("admin:partners_tier_delete", args=[tier.pk]), {"post": "yes"})
    assert not Tier.objects.exists()
    assert entry("tier.deleted")["subject"]["id"] == str(tier.pk)
