"""What people enter in the console's plain forms goes on record, by the names of the fields alone."""

import json

from django.urls import reverse

from governance.audit.models import OutboxEntry
from governance.catalog.models import Creator


def entry(kind):
    found = OutboxEntry.objects.get(kind=kind)
    return json.loads(bytes(found.body))


def test_what_was_entered_is_not(admin_client, db):
    admin_client.post(
        reverse("admin:catalog_creator_add"),
        {"display_name": "Ada Lindqvist", "slug": "ada", "email": "ada@example.com", "region": "SE"},
    )
    assert Creator.objects.get().email == "ada@example.com"
    assert "Lindqvist" not in json.dumps(entry("creator.created"))
    assert "ada@example" not in json.dumps(entry("creator.created"))
