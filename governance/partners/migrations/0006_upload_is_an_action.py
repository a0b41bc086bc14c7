"""Makes uploading works an action that tokens must cover, and lets every client keep it.

Until now every token did. The state of each client is recorded as it is from now on.
"""

from django.apps.registry import Apps
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor, SubjectRef
from governance.partners.entries import ClientAdopted

UPGRADE = Actor("system", "upgrade")
UPLOAD = "asset.upload"


def keep_uploads(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add the action to every client, on record."""
    clients = apps.get_model("partners", "ApiClient")._default_manager
    for client in clients.select_related("partner").order_by("pk"):
        before = _state(client)
        client.actions = sorted({*client.actions, UPLOAD})
        client.save(update_fields=["actions"])
        entry = ClientAdopted(before=before, after=_state(client))
        record(entry, subject=SubjectRef("client", client.client_id), actor=UPGRADE)


def _state(client: models.Model) -> State:
    return {
        "client_id": client.client_id,
        "partner": client.partner.slug,
        "name": client.name,
        "actions": sorted(client.actions),
        "purposes": sorted(client.purposes),
        "models": sorted(client.model_slugs),
        "datasets": sorted(client.dataset_slugs),
        "roles": sorted(assignment.role.slug for assignment in client.role_assignments.all()),
    }


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0005_words_of_roles"),
        ("audit", "0009_ledger_by_actor"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apiclient",
            name="actions",
            field=ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("asset.preview", "Preview a work"),
                        ("asset.infer", "Run inference on a work"),
                        ("asset.train", "Train on a work"),
                        ("asset.export", "Export a work"),
                        ("model.invoke", "Invoke a model"),
                        ("model.train", "Train a model"),
                        ("model.deploy", "Deploy a model"),
                        ("output.release", "Release an output"),
                        ("moderation.run", "Run moderation"),
                        ("asset.upload", "Upload a work"),
                    ],
                    max_length=32,
                ),
                default=list,
                size=None,
            ),
        ),
        migrations.RunPython(keep_uploads, migrations.RunPython.noop),
    ]
