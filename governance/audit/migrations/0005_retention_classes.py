"""The classes that every installation starts with; the console changes them."""

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

#: Slug, name, days; None is for ever. The slug is the kind.
NAMES = {"evidence": "Evidence", "policy": "Policy revisions", "checkpoint": "Checkpoints of the log"}


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    classes = apps.get_model("audit", "RetentionClass")
    days = {"evidence": settings.ASSENT_EVIDENCE_RETENTION_DAYS, "policy": 3653, "checkpoint": None}
    for kind, name in NAMES.items():
        classes.objects.get_or_create(
            kind=kind, partner="", region="", defaults={"slug": kind, "name": name, "days": days[kind]}
        )


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0004_provable_log_history"),
    ]

    operations = [
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
