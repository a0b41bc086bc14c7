"""Decisions and permits name the version of the licence that they rest on."""

from django.db import migrations, models

from governance.audit.guards.triggers import frozen_columns

BOUND = [
    "decision_id",
    "job_id",
    "fencing_token",
    "input_sha256",
    "artifact_sha256",
    "envelope",
    "issued_at",
    "expires_at",
    "revision_digest",
    "consent_epochs",
    "obligations",
]


def _refrozen(before: list[str], after: list[str]) -> migrations.RunSQL:
    old, new = frozen_columns("decisions_permit", before), frozen_columns("decisions_permit", after)
    return migrations.RunSQL(sql=f"{old.reverse_sql}{new.sql}", reverse_sql=f"{new.reverse_sql}{old.sql}")


class Migration(migrations.Migration):
    dependencies = [
        ("decisions", "0005_permit_spent_once"),
    ]

    operations = [
        migrations.AddField(
            model_name="decisionrecord",
            name="licence_versions",
            field=models.JSONField(
                default=dict, help_text="Model slug to licence and version at that moment, such as open/3."
            ),
        ),
        migrations.AddField(
            model_name="permit",
            name="licence_versions",
            field=models.JSONField(default=dict),
        ),
        _refrozen(BOUND, [*BOUND, "licence_versions"]),
    ]
