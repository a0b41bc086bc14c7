"""Use cases about the roles of API clients.

Each change is recorded with the state before and after, and makes every process read the roles again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import Action
from governance.partners.entries import (
    CLIENT,
    MODEL_GROUP,
    ROLE,
    ClientRolesSet,
    ModelGroupSaved,
    RoleCreated,
    RoleEntry,
    RoleUpdated,
)
from governance.partners.errors import RoleInvalid
from governance.partners.models import ApiClient, ModelGroup, Partner, Role, RoleAssignment, RolePermission, RoleVersion


@dataclass(frozen=True, slots=True)
class Grant:
    """An action (empty: every action) with one model, the models of a group, or any model if neither is given."""

    action: str = ""
    model: str = ""
    group: ModelGroup | None = None


@transaction.atomic
def create_role(
    *,
    slug: str,
    name: str,
    grants: Sequence[Grant],
    inherits: Iterable[Role] = (),
    partner: Partner | None = None,
    actor: Actor,
) -> Role:
    """Create a role for one partner, or for any if none is given.

    Raises RoleInvalid for a slug that is taken, a parent of another partner, and an invalid permission.
    """
    _lock()
    role = Role(slug=slug, name=name, partner=partner)
    _write(role, inherits, grants)
    record(_entry(RoleCreated, role, None), subject=ROLE.ref(role), actor=actor)
    return role


@transaction.atomic
def change_role(
    *,
    role: Role,
    name: str,
    grants: Sequence[Grant],
    inherits: Iterable[Role] = (),
    actor: Actor,
    seen: State | None = None,
) -> Role:
    """Change everything of a role except its slug and partner, and return it.

    `seen` is as for `lock_unchanged`. Raises RoleInvalid when it would inherit from itself or from a role of another
    partner, or when a permission is not valid, and ChangedMeanwhile.
    """
    _lock()
    locked, before = lock_unchanged(ROLE, role, seen=seen)
    locked.name = name
    _write(locked, inherits, grants)
    record(_entry(RoleUpdated, locked, before), subject=ROLE.ref(locked), actor=actor)
    return locked


@transaction.atomic
def create_model_group(*, slug: str, name: str, models: Iterable[str], actor: Actor) -> ModelGroup:
    """Create a group of models. Raises RoleInvalid, also for a slug that is taken."""
    _lock()
    group = ModelGroup(slug=slug, name=name, model_slugs=sorted(set(models)))
    _check(group)
    group.save()
    _record_group(group, None, actor)
    return group


@transaction.atomic
def change_model_group(
    *, group: ModelGroup, name: str, models: Iterable[str], actor: Actor, seen: State | None = None
) -> ModelGroup:
    """Change the name and models of a group, and return it.

    `seen` is as for `lock_unchanged`. Raises RoleInvalid, ChangedMeanwhile.
    """
    _lock()
    locked, before = lock_unchanged(MODEL_GROUP, group, seen=seen)
    locked.name, locked.model_slugs = name, sorted(set(models))
    _check(locked)
    locked.save()
    _record_group(locked, before, actor)
    return locked


@transaction.atomic
def set_roles(*, client: ApiClient, roles: Iterable[Role], actor: Actor, seen: State | None = None) -> None:
    """Give a client exactly these roles. Raises RoleInvalid for a role of another partner, ChangedMeanwhile."""
    _lock()
    locked, before = lock_unchanged(CLIENT, client, seen=seen)
    wanted = sorted(set(roles), key=lambda role: role.slug)
    for role in wanted:
        if role.partner_id not in (None, locked.partner_id):
            raise RoleInvalid(f"The role {role.slug} is for another partner.")
    RoleAssignment.objects.filter(client=locked).delete()
    RoleAssignment.objects.bulk_create(RoleAssignment(client=locked, role=role) for role in wanted)
    changed = ClientRolesSet(
        before=before,
        after=CLIENT.present_state(locked),
        client=locked.client_id,
        roles=[role.slug for role in wanted],
    )
    record(changed, subject=CLIENT.ref(locked), actor=actor)


def _write(role: Role, inherits: Iterable[Role], grants: Sequence[Grant]) -> None:
    """Save a role with its parents and permissions, replacing those that it had."""
    parents = sorted(set(inherits), key=lambda parent: parent.slug)
    _refuse(role, parents, grants)
    _check(role)
    role.save()
    role.inherits.set(parents)
    RolePermission.objects.filter(role=role).delete()
    RolePermission.objects.bulk_create(
        RolePermission(role=role, action=grant.action, model_slug=grant.model, group=grant.group)
        for grant in dict.fromkeys(grants)
    )


def _entry(kind: type[RoleEntry], role: Role, before: State | None) -> RoleEntry:
    permissions = RolePermission.objects.filter(role=role).select_related("group").order_by("id")
    return kind(
        before=before,
        after=ROLE.present_state(role),
        role=role.slug,
        partner=role.partner.slug if role.partner else None,
        inherits=sorted(parent.slug for parent in Role.objects.filter(heirs=role)),
        grants=[[each.action, each.model_slug, each.group.slug if each.group else ""] for each in permissions],
    )


def _record_group(group: ModelGroup, before: State | None, actor: Actor) -> None:
    saved = ModelGroupSaved(before=before, after=MODEL_GROUP.state(group), group=group.slug, models=group.model_slugs)
    record(saved, subject=MODEL_GROUP.ref(group), actor=actor)


def _refuse(role: Role, parents: Sequence[Role], grants: Sequence[Grant]) -> None:
    unknown = sorted({grant.action for grant in grants} - {"", *Action})
    if unknown:
        raise RoleInvalid(f"These are not actions: {', '.join(unknown)}.")
    if any(grant.model and grant.group for grant in grants):
        raise RoleInvalid("A permission names a model or a group, not both.")
    for parent in parents:
        if parent.partner_id not in (None, role.partner_id):
            raise RoleInvalid(f"The role {parent.slug} is for another partner.")
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


def _check(saved: Role | ModelGroup) -> None:
    try:
        saved.full_clean()
    except ValidationError as error:
        noun = str(saved._meta.verbose_name)
        raise RoleInvalid(f"The {noun} is not valid.", details={"fields": error.message_dict}) from error


def _lock() -> None:
    """Serialise changes of roles and raise their version."""
    RoleVersion.objects.get_or_create(id=1)
    row = RoleVersion.objects.select_for_update().get(id=1)
    row.version = new_id()
    row.save(update_fields=["version"])
