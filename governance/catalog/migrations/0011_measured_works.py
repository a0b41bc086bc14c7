"""Works know what their file holds besides its picture; their size is frozen once it was read as people see it.

Until then the size of a work from before version 0.3 is that of the stored pixels, which the orientation in EXIF may
turn. A migration cannot decode files: `manage.py works measure` reads them.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

from governance.audit.guards.triggers import frozen_columns

FILE = ["creator_id", "sha256", "size", "object_name", "media_type"]

MEASURED_ONCE = migrations.RunSQL(
    sql="""
    CREATE TRIGGER catalog_asset_measured_once BEFORE UPDATE ON catalog_asset
        FOR EACH ROW WHEN (OLD.metadata_kinds IS NOT NULL AND (
            OLD.metadata_kinds IS DISTINCT FROM NEW.metadata_kinds OR OLD.left_out IS DISTINCT FROM NEW.left_out
            OR OLD.width IS DISTINCT FROM NEW.width OR OLD.height IS DISTINCT FROM NEW.height))
        EXECUTE FUNCTION assent_refuse_change();
    """,
    reverse_sql="DROP TRIGGER catalog_asset_measured_once ON catalog_asset;",
)


def _refrozen(before: list[str], after: list[str]) -> migrations.RunSQL:
    old, new = frozen_columns("catalog_asset", before), frozen_columns("catalog_asset", after)
    return migrations.RunSQL(sql=f"{old.reverse_sql}{new.sql}", reverse_sql=f"{new.reverse_sql}{old.sql}")


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0010_uploads_in_review"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="asset",
            name="left_out",
            field=models.JSONField(
                blank=True, default=list, help_text="What the file holds behind its picture: kinds and their bytes."
            ),
        ),
        migrations.AddField(
            model_name="asset",
            name="metadata_kinds",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=32),
                blank=True,
                help_text="Kinds of metadata in the file. Empty until it was read as it is since version 0.3.",
                null=True,
                size=None,
            ),
        ),
        _refrozen([*FILE, "width", "height"], FILE),
        MEASURED_ONCE,
    ]
