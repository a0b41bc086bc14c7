"""Puts tiers, partners, API clients, roles and model groups on record as they are.

From now on the ledger alone says what each was at any moment, without having to know which of them are from before.
The states are written out here as they are in this version, whatever later ones add.
"""

from collections.abc import Iterable, Iterator

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Manager, Model

from governance.audit.recording.record import record
from governance.audit.recording.states import State, StateEntry
from governance.audit.types import Actor, SubjectRef
from governance.kernel.canonical import Json, timestamp
from governance.partners.entries import ClientAdopted, ModelGroupAdopted, PartnerAdopted, RoleAdopted, TierAdopted

UPGRADE = Actor("system", "upgrade")
Adopted = tuple[type[StateEntry], SubjectRef, State]


def adopt(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Record every row with its state."""
    for kind, subject, state in (
        *_tiers(_rows(apps, "Tier")),
        *_partners(_rows(apps, "Partner")),
        *_model_groups(_rows(apps, "ModelGroup")),
        *_roles(_rows(apps, "Role")),
        *_clients(_rows(apps, "ApiClient")),
    ):
        record(kind(before=None, after=state), subject=subject, actor=UPGRADE)


def _rows(apps: Apps, model: str) -> Iterable[Model]:
    manager: Manager[Model] = apps.get_model("partners", model)._default_manager
    return manager.order_by("pk")


def _tiers(rows: Iterable[Model]) -> Iterator[Adopted]:
    for tier in rows:
        limits: State = {"requests_per_minute": tier.requests_per_minute, "max_open_jobs": tier.max_open_jobs}
        yield TierAdopted, SubjectRef("tier", str(tier.pk)), {"slug": tier.slug, "name": tier.name, **limits}


def _partners(rows: Iterable[Model]) -> Iterator[Adopted]:
    for partner in rows:
        cut = partner.tokens_valid_after
        yield (
            PartnerAdopted,
            SubjectRef("partner", partner.slug),
            {
                "slug": partner.slug,
                "name": partner.name,
                "tier": partner.tier.slug,
                "region": partner.region,
                "status": partner.status,
                "tokens_valid_after": timestamp(cut) if cut else None,
            },
        )


def _model_groups(rows: Iterable[Model]) -> Iterator[Adopted]:
    for group in rows:
        state: State = {"slug": group.slug, "name": group.name, "models": _sorted(group.model_slugs)}
        yield ModelGroupAdopted, SubjectRef("model_group", str(group.pk)), state


def _roles(rows: Iterable[Model]) -> Iterator[Adopted]:
    for role in rows:
        grants = (
            (each.action, each.model_slug, each.group.slug if each.group else "") for each in role.permissions.all()
        )
        yield (
            RoleAdopted,
            SubjectRef("role", str(role.pk)),
            {
                "slug": role.slug,
                "name": role.name,
                "partner": role.partner.slug if role.partner else None,
                "inherits": _sorted(parent.slug for parent in role.inherits.all()),
                "grants": [[*grant] for grant in sorted(grants)],
            },
        )


def _clients(rows: Iterable[Model]) -> Iterator[Adopted]:
    for client in rows:
        yield (
            ClientAdopted,
            SubjectRef("client", client.client_id),
            {
                "client_id": client.client_id,
                "partner": client.partner.slug,
                "name": client.name,
                "actions": _sorted(client.actions),
                "purposes": _sorted(client.purposes),
                "models": _sorted(client.model_slugs),
                "datasets": _sorted(client.dataset_slugs),
                "roles": _sorted(assignment.role.slug for assignment in client.role_assignments.all()),
            },
        )


def _sorted(names: Iterable[str]) -> list[Json]:
    return [*sorted(names)]


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0003_roles"),
        ("audit", "0007_cosignature_by_witness"),
    ]

    operations = [migrations.RunPython(adopt, migrations.RunPython.noop)]
