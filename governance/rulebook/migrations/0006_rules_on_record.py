"""Puts the ABAC rules on record as they are, so that the ledger alone can say what each was from now on."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from governance.audit.recording.record import record
from governance.audit.types import UPGRADE, SubjectRef
from governance.rulebook.entries import RuleAdopted, condition_on_record


def adopt(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for rule in apps.get_model("rulebook", "AbacRule").objects.order_by("slug"):
        state = {
            "slug": rule.slug,
            "effect": rule.effect,
            "actions": rule.actions,
            "condition": condition_on_record(rule.condition),
            "reason_code": rule.reason_code,
            "message": rule.message,
            "obligations": rule.obligations,
            "enabled": rule.enabled,
        }
        record(RuleAdopted(before=None, after=state), subject=SubjectRef("rule", str(rule.pk)), actor=UPGRADE)


class Migration(migrations.Migration):
    dependencies = [
        ("rulebook", "0005_worm_references"),
        ("audit", "0008_retention_on_record"),
    ]

    operations = [
        migrations.RunPython(adopt, migrations.RunPython.noop),
    ]
