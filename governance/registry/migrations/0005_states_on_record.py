"""Puts models and their versions on record as they are, so that from now on the ledger alone says what each was."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.catalog.states import recorded_text
from governance.kernel.canonical import digest
from governance.registry.entries import ModelAdopted, ModelVersionAdopted

UPGRADE = Actor("system", "upgrade")


def adopt(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Record every model and every version."""
    aliases = apps.get_model("registry", "ModelAlias").objects.select_related("version")
    for model in apps.get_model("registry", "Model").objects.select_related("licence").order_by("pk"):
        state = {
            "slug": model.slug,
            "name": model.name,
            "description": recorded_text(model.description),
            "task": model.task,
            "owner": model.owner,
            "licence": model.licence.slug,
            "aliases": {alias.name: alias.version.version for alias in aliases.filter(model=model)},
        }
        record(ModelAdopted(before=None, after=state), subject=SubjectRef("model", str(model.pk)), actor=UPGRADE)
    for version in apps.get_model("registry", "ModelVersion").objects.select_related("model").order_by("pk"):
        state = {
            "model": version.model.slug,
            "version": version.version,
            "runtime": version.runtime,
            "config_sha256": digest(version.config),
            "artifact_sha256": version.artifact_sha256,
            "stage": version.stage,
        }
        subject = SubjectRef("model_version", str(version.pk))
        record(ModelVersionAdopted(before=None, after=state), subject=subject, actor=UPGRADE)


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0004_names_by_table"),
        ("audit", "0007_cosignature_by_witness"),
    ]

    operations = [
        migrations.RunPython(adopt, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="model",
            name="owner",
            field=models.SlugField(help_text="Slug of the owner. Policies may name it."),
        ),
    ]
