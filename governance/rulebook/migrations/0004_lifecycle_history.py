"""What was edited, decided and frozen stays as it was written; PostgreSQL itself refuses to change it."""

from django.db import migrations

from governance.audit.triggers import append_only, frozen_columns


class Migration(migrations.Migration):
    dependencies = [
        ("rulebook", "0003_lifecycle"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        append_only("rulebook_ruleedit"),
        append_only("rulebook_draftevent"),
        append_only("rulebook_revisionanchor"),
        frozen_columns("rulebook_policydraft", ["id", "number", "created_by", "created_at"]),
        frozen_columns("rulebook_policyfreeze", ["id", "reason", "frozen_by", "frozen_at"]),
    ]
