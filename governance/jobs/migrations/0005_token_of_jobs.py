"""Jobs keep which token they were submitted with, and when it was issued: revoking it reaches them."""

import django.db.models.deletion
from django.db import migrations, models

from governance.audit.guards.triggers import frozen_columns

ASKED = [
    "partner_id",
    "client_id",
    "model_version_id",
    "purpose",
    "idempotency_key",
    "request_digest",
    "admission_id",
    "task",
    "token_grant",
    "created_at",
]


def _refrozen(before: list[str], after: list[str]) -> migrations.RunSQL:
    old, new = frozen_columns("jobs_job", before), frozen_columns("jobs_job", after)
    return migrations.RunSQL(sql=f"{old.reverse_sql}{new.sql}", reverse_sql=f"{new.reverse_sql}{old.sql}")


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0004_names_by_table"),
        ("partners", "0005_words_of_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="token",
            field=models.ForeignKey(
                db_constraint=False,
                help_text="Its key stays when the token is deleted. Empty for jobs from before version 0.3.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="partners.accesstoken",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="token_issued_at",
            field=models.DateTimeField(null=True),
        ),
        _refrozen(ASKED, [*ASKED, "token_id", "token_issued_at"]),
    ]
