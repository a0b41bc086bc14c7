"""What waits for its place in the log stays as it was recorded, as what has one does."""

from django.db import migrations

from governance.audit.guards.triggers import not_updated


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0005_retention_classes"),
    ]

    operations = [
        not_updated("audit_outboxentry"),
    ]
