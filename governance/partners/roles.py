"""Changes to the roles of API clients. Each is in the ledger, and makes every process read the roles again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from governance.audit.recording.record import write_entry
from governance.audit.types import Actor, SubjectRef
from governance.kernel.canonical import Json
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import Action
from governance.partners.errors import RoleInvalid
from governance.partners.models import ApiClient, ModelGroup, Partner, Role, RoleAssignment, RolePermission, RoleVersion


@dataclass(frozen=True, slots=True)
class Grant:
    """An action (empty: every one) with one model, with the models of a group, or, without either, with any."""

    action: str = ""
    model: str = ""
    group: ModelGroup | None = None


@transaction.atomic
def save_role(
    *,
    slug: str,
    name: str,
    grants: Sequence[Grant],
    inherits: Iterable[Role] = (),
    partner: Partner | None = None,
    actor: Actor,
) -> Role:
    """Make a role, or make the role of this slug what is given. The partner of a role does not change.

    Raises RoleInvalid when it would inherit from itself, from a role of another partner, or names no known action.
    """
    _lock()
    role, created = Role.objects.get_or_create(slug=slug, defaults={"name": name, "partner": partner})
    parents = sorted(set(inherits), key=lambda parent: parent.slug)
    _refuse(role, parents, grants, partner)
    role.name = name
    _checked(role)
    role.inherits.set(parents)
    role.permissions.all().delete()
    unique = dict.fromkeys(grants)
    RolePermission.objects.bulk_create(
        RolePermission(role=role, action=grant.action, model_slug=grant.model, group=grant.group) for grant in unique
    )
    data: dict[str, Json] = {
        "role": slug,
        "partner": role.partner.slug if role.partner else None,
        "inherits": [parent.slug for parent in parents],
        "grants": [[grant.action, grant.model, grant.group.slug if grant.group else ""] for grant in unique],
    }
    write_entry(kind="role.created" if created else "role.updated", subject=_ref(role), actor=actor, data=data)
    return role


@transaction.atomic
def save_model_group(*, slug: str, name: str, models: Iterable[str], actor: Actor) -> ModelGroup:
    """Make a group of models, or make the group of this slug what is given."""
    _lock()
    slugs = sorted(set(models))
    group, _ = ModelGroup.objects.update_or_create(slug=slug, defaults={"name": name, "model_slugs": slugs})
    subject = SubjectRef("model_group", str(group.pk))
    write_entry(kind="model_group.saved", subject=subject, actor=actor, data={"group": slug, "models": [*slugs]})
    return group


@transaction.atomic
def set_roles(*, client: ApiClient, roles: Iterable[Role], actor: Actor) -> None:
    """Give a client exactly these roles. Raises RoleInvalid for a role of another partner."""
    _lock()
    wanted = sorted(set(roles), key=lambda role: role.slug)
    for role in wanted:
        if role.partner_id not in (None, client.partner_id):
            raise RoleInvalid(f"The role {role.slug} is for another organisation.")
    client.role_assignments.all().delete()
    RoleAssignment.objects.bulk_create(RoleAssignment(client=client, role=role) for role in wanted)
    data: dict[str, Json] = {"client": client.client_id, "roles": [role.slug for role in wanted]}
    write_entry(kind="client.roles_set", subject=SubjectRef("client", client.client_id), actor=actor, data=data)


def _refuse(role: Role, parents: Sequence[Role], grants: Sequence[Grant], partner: Partner | None) -> None:
    if role.partner_id != (partner.pk if partner else None):
        raise RoleInvalid("The organisation of a role does not change; make a new role.")
    unknown = sorted({grant.action for grant in grants} - {"", *Action})
    if unknown:
        raise RoleInvalid(f"These are no actions: {', '.join(unknown)}.")
    if any(grant.model and grant.group for grant in grants):
        raise RoleInvalid("A permission names a model or a group, not both.")
    for parent in parents:
        if parent.partner_id not in (None, role.partner_id):
            raise RoleInvalid(f"The role {parent.slug} is for another organisation.")
        if role in _lineage(parent):
            raise RoleInvalid(f"The role {role.slug} would inherit from itself.")


def _lineage(role: Role) -> set[Role]:
    """Return a role and all that it inherits from."""
    found, open_roles = {role}, [role]
    while open_roles:
        parents = set(open_roles.pop().inherits.all()) - found
        found |= parents
        open_roles += parents
    return found


def _checked(role: Role) -> None:
    try:
        role.full_clean(exclude=["slug"])
    except ValidationError as error:
        raise RoleInvalid("The role is not valid.", details={"fields": error.message_dict}) from error
    role.save()


def _lock() -> None:
    """Serialise changes of roles, and give them a new version."""
    RoleVersion.objects.get_or_create(id=1)
    row = RoleVersion.objects.select_for_update().get(id=1)
    row.version = new_id()
    row.save(update_fields=["version"])


def _ref(role: Role) -> SubjectRef:
    return SubjectRef("role", str(role.pk))
