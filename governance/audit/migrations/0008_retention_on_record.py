"""Puts the retention classes on record as they are, so that the ledger alone can say what each was from now on."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from governance.audit.entries import RetentionAdopted
from governance.audit.recording.record import record
from governance.audit.types import UPGRADE, SubjectRef


def adopt(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for row in apps.get_model("audit", "RetentionClass").objects.order_by("slug"):
        state = {
            "slug": row.slug,
            "name": row.name,
            "kind": row.kind,
            "partner": row.partner,
            "region": row.region,
            "days": row.days,
        }
        record(RetentionAdopted(before=None, after=state), subject=SubjectRef("retention", row.slug), actor=UPGRADE)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0007_cosignature_by_witness"),
    ]

    operations = [
        migrations.RunPython(adopt, migrations.RunPython.noop),
    ]
