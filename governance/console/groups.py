"""Use cases about groups of console users. A group keeps its name: entries about users name it by that."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db import transaction

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.console.entries import GROUP, GroupChanged, GroupCreated, GroupDeleted
from governance.console.errors import AccountConflict, AccountInvalid
from governance.console.powers import authority_of, check_gain, codes_of


@transaction.atomic
def create_group(*, name: str, permissions: Iterable[Permission], actor: Actor) -> Group:
    """Make a group with these permissions. Raises AccountInvalid, also for a name that is taken."""
    group = Group(name=name)
    try:
        group.full_clean()
    except ValidationError as error:
        raise AccountInvalid("The group is not valid.", details={"fields": error.message_dict}) from error
    group.save()
    group.permissions.set(permissions)
    record(GroupCreated(before=None, after=GROUP.present_state(group)), subject=GROUP.ref(group), actor=actor)
    return group


@transaction.atomic
def change_group(*, group: Group, permissions: Iterable[Permission], actor: Actor, seen: State | None = None) -> Group:
    """Give a group exactly these permissions, from the next request of its members on; return it.

    `seen` is as for `lock_unchanged`. Raises ChangedMeanwhile, AccessRefused, and SecondPersonNeeded for more that
    can widen what is allowed.
    """
    return _write(group, permissions, actor=actor, seen=seen, second=False)


@transaction.atomic
def extend_group(*, group: Group, permissions: Iterable[Permission], actor: Actor) -> Group:
    """Give a group these permissions too; somebody proposed it, `actor` is the second person. Raises AccessRefused."""
    wanted = [*group.permissions.all(), *permissions]
    return _write(group, wanted, actor=actor, seen=None, second=True)


def _write(group: Group, permissions: Iterable[Permission], *, actor: Actor, seen: State | None, second: bool) -> Group:
    locked, before = lock_unchanged(GROUP, group, seen=seen)
    held = codes_of([locked])
    locked.permissions.set(permissions)
    check_gain(codes_of([locked]) - held, authority=authority_of(actor), own=False, second=second)
    after = GROUP.present_state(locked)
    if after != before:
        record(GroupChanged(before=before, after=after), subject=GROUP.ref(locked), actor=actor)
    return locked


@transaction.atomic
def delete_group(*, group: Group, actor: Actor, seen: State | None = None) -> None:
    """Delete a group that nobody is in. Raises AccountConflict, ChangedMeanwhile."""
    locked, before = lock_unchanged(GROUP, group, seen=seen)
    if locked.user_set.exists():
        raise AccountConflict(f"People are in the group “{locked.name}”; take them out first.")
    ref = GROUP.ref(locked)
    locked.delete()
    record(GroupDeleted(before=before, after=None), subject=ref, actor=actor)
