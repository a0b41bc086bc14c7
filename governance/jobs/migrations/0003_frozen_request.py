"""Freeze all of what a job asked for: also its task, what its token covered, and its inputs."""

from django.db import migrations

from governance.audit.guards.triggers import append_only, frozen_columns

ASKED = [
    "partner_id",
    "client_id",
    "model_version_id",
    "purpose",
    "idempotency_key",
    "request_digest",
    "admission_id",
]
ALL_ASKED = [*ASKED, "task", "token_grant", "created_at"]


def _refrozen(before: list[str], after: list[str]) -> migrations.RunSQL:
    old, new = frozen_columns("jobs_job", before), frozen_columns("jobs_job", after)
    return migrations.RunSQL(sql=f"{old.reverse_sql}{new.sql}", reverse_sql=f"{new.reverse_sql}{old.sql}")


class Migration(migrations.Migration):
    dependencies = [("jobs", "0002_append_only")]

    operations = [_refrozen(ASKED, ALL_ASKED), append_only("jobs_jobinput")]
