"""History that PostgreSQL itself refuses to change."""

from django.db import migrations

from governance.audit.guards.triggers import append_only, frozen_columns


class Migration(migrations.Migration):
    dependencies = [
        ("decisions", "0001_initial"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        append_only("decisions_decisionrecord"),
        frozen_columns(
            "decisions_permit",
            [
                "decision_id",
                "job_id",
                "fencing_token",
                "input_sha256",
                "artifact_sha256",
                "envelope",
                "issued_at",
                "expires_at",
            ],
        ),
    ]
