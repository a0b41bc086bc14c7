"""History that PostgreSQL itself refuses to change."""

from django.db import migrations

from governance.audit.guards.triggers import frozen_columns


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0001_initial"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        frozen_columns(
            "registry_modelversion",
            ["model_id", "version", "runtime", "config", "artifact_object", "artifact_sha256", "artifact_size"],
        ),
    ]
