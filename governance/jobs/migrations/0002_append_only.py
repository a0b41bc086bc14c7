"""History that PostgreSQL itself refuses to change."""

from django.db import migrations

from governance.audit.guards.triggers import append_only, frozen_columns


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0001_initial"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        append_only("jobs_jobevent"),
        append_only("jobs_joboutput"),
        append_only("jobs_outputcandidate"),
        frozen_columns(
            "jobs_job",
            [
                "partner_id",
                "client_id",
                "model_version_id",
                "purpose",
                "idempotency_key",
                "request_digest",
                "admission_id",
            ],
        ),
    ]
