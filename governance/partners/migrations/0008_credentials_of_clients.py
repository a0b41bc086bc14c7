"""Lets API clients be disabled, change their secrets and authenticate by keys; remembers when they were last used.

The state of each client is recorded as it is from now on. Its last use is that of its newest token.
"""

import django.db.models.deletion
import governance.kernel.clock
from django.conf import settings
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor, SubjectRef
from governance.partners.entries import ClientAdopted


UPGRADE = Actor("system", "upgrade")


def adopt(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Record every client with its state, and note its last use."""
    clients = apps.get_model("partners", "ApiClient")._default_manager
    tokens = apps.get_model("partners", "AccessToken")._default_manager
    for client in clients.select_related("partner").order_by("pk"):
        used = tokens.filter(application=client).order_by("-created").values_list("created", flat=True).first()
        clients.filter(pk=client.pk).update(last_used_at=used)
        before = _state(client)
        added: State = {"enabled": True, "secret_set_at": None, "earlier_secret_until": None, "keys": []}
        entry = ClientAdopted(before=before, after=before | added)
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
        ("partners", "0007_image_limits_of_tiers"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsedFormKey",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False)),
                ("used_at", models.DateTimeField(db_index=True, default=governance.kernel.clock.now)),
            ],
        ),
        migrations.AddField(
            model_name="apiclient",
            name="disabled_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="apiclient",
            name="earlier_secret",
            field=models.CharField(blank=True, editable=False, help_text="Hashed.", max_length=255),
        ),
        migrations.AddField(
            model_name="apiclient",
            name="earlier_secret_until",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="Until when the secret before the newest one is good.", null=True
            ),
        ),
        migrations.AddField(
            model_name="apiclient",
            name="last_used_at",
            field=models.DateTimeField(blank=True, editable=False, help_text="To the minute.", null=True),
        ),
        migrations.AddField(
            model_name="apiclient",
            name="secret_set_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.CreateModel(
            name="ClientKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kid",
                    models.CharField(
                        help_text="What assertions call the key (RFC 7515 section 4.1.4).", max_length=128
                    ),
                ),
                (
                    "algorithm",
                    models.CharField(
                        choices=[("ES256", "ECDSA on P-256"), ("EdDSA", "Ed25519"), ("RS256", "RSA")], max_length=8
                    ),
                ),
                ("jwk", models.JSONField(help_text="The public key (RFC 7517).")),
                ("thumbprint", models.CharField(help_text="SHA-256 of the key (RFC 7638).", max_length=43)),
                ("created_at", models.DateTimeField(default=governance.kernel.clock.now, editable=False)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keys",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "client key",
                "ordering": ["client", "kid"],
                "constraints": [
                    models.UniqueConstraint(fields=("client", "kid"), name="client_key_once_by_kid"),
                    models.UniqueConstraint(fields=("client", "thumbprint"), name="client_key_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsedAssertion",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("jti_sha256", models.CharField(max_length=64)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("client", "jti_sha256"), name="assertion_used_once")],
            },
        ),
        migrations.RunPython(adopt, migrations.RunPython.noop),
    ]
