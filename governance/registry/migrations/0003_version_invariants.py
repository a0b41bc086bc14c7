"""Invariants of model versions that PostgreSQL itself holds."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_frozen_versions")]

    operations = [
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.UniqueConstraint(fields=("id", "model"), name="model_version_with_model"),
        ),
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("artifact_size__gt", 0)), name="model_version_size_positive"
            ),
        ),
        migrations.RunSQL(
            sql="""
            ALTER TABLE registry_modelalias ADD CONSTRAINT model_alias_of_model
                FOREIGN KEY (version_id, model_id) REFERENCES registry_modelversion (id, model_id);
            """,
            reverse_sql="ALTER TABLE registry_modelalias DROP CONSTRAINT model_alias_of_model;",
        ),
    ]
