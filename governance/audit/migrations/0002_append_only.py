"""History that PostgreSQL itself refuses to change."""

from django.db import migrations

from governance.audit.guards.triggers import FUNCTION, append_only


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
    ]

    operations = [
        FUNCTION,
        append_only("audit_ledgerentry"),
        append_only("audit_treehead"),
        append_only("audit_evidencerecord"),
        append_only("audit_wormreference"),
    ]
