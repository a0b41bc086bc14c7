"""History that PostgreSQL itself refuses to change."""

from django.db import migrations

from governance.audit.guards.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("rulebook", "0001_initial"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        append_only("rulebook_policyrevision"),
        append_only("rulebook_policyactivation"),
    ]
