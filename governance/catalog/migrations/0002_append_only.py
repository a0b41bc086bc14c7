"""History that PostgreSQL itself refuses to change."""

from django.db import migrations

from governance.audit.guards.triggers import append_only, frozen_columns


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        append_only("catalog_consentgrant"),
        frozen_columns(
            "catalog_asset", ["creator_id", "sha256", "size", "object_name", "media_type", "width", "height"]
        ),
    ]
