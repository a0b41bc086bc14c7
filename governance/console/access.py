"""More access: what one person gives at once, and what one proposes and another approves.

Taking access away needs one person. Giving access that can widen what is allowed needs two, who both hold it and of
whom neither gains it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.console.accounts import Access, Gains, Person, activate_user, change_user, create_user, extend_access
from governance.console.choices import AccessKind, AccessState
from governance.console.entries import ACCESS_PROPOSAL, USER, AccessProposalChanged, permission_code
from governance.console.errors import AccessProposalClosed, AccessRefused, AccountConflict
from governance.console.groups import change_group, extend_group
from governance.console.models import AccessProposal
from governance.console.powers import authority_of, can_widen, check_gain, codes_of, is_power, powers, reach_of
from governance.console.signin.factors import has_factor, reset_factors
from governance.kernel import clock
from governance.kernel.canonical import Json


@dataclass(frozen=True, slots=True)
class Given:
    """What came of a change of access: the row, and the proposal of what needs a second person, if anything does."""

    row: User | Group
    proposal: AccessProposal | None = None


@transaction.atomic
def add_user(*, person: Person, access: Access, password: str, actor: Actor) -> Given:
    """Add a user with what one person can give, and propose the rest. Raises what `create_user` raises."""
    now, later = _split(Access(staff=False), access, actor)
    user = create_user(person=person, access=now, password=password, actor=actor)
    return Given(user, _propose_for_user(user, later, actor))


@transaction.atomic
def change_access(*, user: User, person: Person, access: Access, actor: Actor, seen: State | None = None) -> Given:
    """Change a user as far as one person can, and propose the rest. Raises what `change_user` raises."""
    held = Access(staff=user.is_staff, superuser=user.is_superuser, groups=[*user.groups.all()])
    now, later = _split(held, access, actor)
    changed = change_user(user=user, person=person, access=now, actor=actor, seen=seen)
    return Given(changed, _propose_for_user(changed, later, actor))


@transaction.atomic
def reactivate(*, user: User, actor: Actor, seen: State | None = None) -> Given:
    """Let a user log in again, or propose it where the account can widen. Raises what `activate_user` raises."""
    back = reach_of({**USER.state(user), "active": True}, user.groups.all())
    if authority_of(actor).alone or not powers(back):
        return Given(activate_user(user=user, actor=actor, seen=seen))
    if user.is_active:
        raise AccountConflict("The account is active already.")
    return Given(user, _propose_for_user(user, Gains(active=True), actor))


@transaction.atomic
def change_permissions(
    *, group: Group, permissions: Sequence[Permission], actor: Actor, seen: State | None = None
) -> Given:
    """Change what a group gives as far as one person can, and propose the rest. Raises what `change_group` raises."""
    held = codes_of([group])
    later = [
        code
        for code in map(permission_code, permissions)
        if code not in held and is_power(code) and not authority_of(actor).alone
    ]
    now = [each for each in permissions if permission_code(each) not in later]
    changed = change_group(group=group, permissions=now, actor=actor, seen=seen)
    if not later:
        return Given(changed)
    check_gain({*later}, authority=authority_of(actor), own=False, second=True)
    reason = f"{len(later)} more permissions for the group {group.name}"
    return Given(changed, _propose(AccessKind.PERMISSIONS, str(group.pk), {"permissions": [*later]}, reason, actor))


@transaction.atomic
def take_factors(*, user: User, actor: Actor) -> Given:
    """Remove the second factors of a user who lost them, or propose it where the account can widen.

    Raises AccountConflict, and AccessRefused for an account that may do more than the actor's.
    """
    if not can_widen(user) or authority_of(actor).alone:
        reset_factors(user=user, actor=actor)
        return Given(user)
    if actor == Actor("user", str(user.pk)) or not has_factor(user):
        raise AccountConflict("Only somebody else's second factor is reset here, and only where there is one.")
    if authority_of(actor).lacks(reach_of(USER.state(user), user.groups.all())):
        raise AccessRefused("This account may do more than yours, so you cannot reset its second factor.")
    reason = f"Reset the second factor of {user.username}"
    return Given(user, _propose(AccessKind.SECOND_FACTOR, str(user.pk), {}, reason, actor))


@transaction.atomic
def approve_access(*, proposal: AccessProposal, actor: Actor) -> AccessProposal:
    """Give what was proposed, as the second person.

    Raises AccessProposalClosed, AccountConflict, and AccessRefused for the person who proposed it, for whoever gains
    from it, and for somebody who does not hold it.
    """
    locked = _lock(proposal)
    if actor.type != "user" or str(actor) == locked.proposed_by:
        raise AccessRefused("You proposed this, so somebody else must approve it.")
    _check_proposer(locked)
    _APPLY[AccessKind(locked.kind)](locked, actor)
    return _decide(locked, AccessState.APPROVED, actor)


@transaction.atomic
def reject_access(*, proposal: AccessProposal, actor: Actor) -> AccessProposal:
    """End a proposal without effect; whoever proposed it takes it back. Raises AccessProposalClosed."""
    locked = _lock(proposal)
    own = str(actor) == locked.proposed_by
    return _decide(locked, AccessState.WITHDRAWN if own else AccessState.REJECTED, actor)


def subject_of(proposal: AccessProposal) -> User | Group | None:
    """Return the user or group that a proposal is about, None when it is gone."""
    table: type[User] | type[Group] = Group if proposal.kind == AccessKind.PERMISSIONS else User
    found = table._default_manager.filter(pk=proposal.subject_key).first()
    return found if isinstance(found, User | Group) else None


def _split(held: Access, wanted: Access, actor: Actor) -> tuple[Access, Gains]:
    """Return what `actor` can give alone, and what has to be proposed."""
    if authority_of(actor).alone:
        return wanted, Gains()
    before = {group.pk for group in held.groups}
    new = [group for group in wanted.groups if group.pk not in before and powers(codes_of([group]))]
    kept = [group for group in wanted.groups if group not in new]
    staff_later = wanted.staff and not held.staff and bool(powers(codes_of(kept)))
    now = Access(staff=wanted.staff and not staff_later, superuser=wanted.superuser, groups=kept)
    return now, Gains(groups=[group.name for group in new], staff=staff_later or (bool(new) and not now.staff))


def _propose_for_user(user: User, gains: Gains, actor: Actor) -> AccessProposal | None:
    if not gains:
        return None
    groups = Group.objects.filter(name__in=gains.groups)
    gain = codes_of([*user.groups.all(), *groups])
    check_gain(gain, authority=authority_of(actor), own=actor == Actor("user", str(user.pk)), second=True)
    words = [*(["the account active again"] if gains.active else []), *gains.groups]
    reason = f"For {user.username}: {', '.join(words) or 'access to the console'}"
    content: dict[str, Json] = {"groups": [*gains.groups], "staff": gains.staff, "active": gains.active}
    return _propose(AccessKind.ROLES, str(user.pk), content, reason, actor)


def _propose(
    kind: AccessKind, subject_key: str, gains: Mapping[str, Json], reason: str, actor: Actor
) -> AccessProposal:
    proposal = AccessProposal(
        kind=kind, subject_key=subject_key, gains={**gains}, reason=reason[:500], proposed_by=str(actor)
    )
    proposal.save(force_insert=True)
    _record(proposal, "proposed", None, actor)
    return proposal


def _lock(proposal: AccessProposal) -> AccessProposal:
    locked = AccessProposal.objects.select_for_update().get(pk=proposal.pk)
    if not locked.is_open:
        raise AccessProposalClosed(f"The proposal is {locked.get_state_display().lower()} already.")
    return locked


def _check_proposer(proposal: AccessProposal) -> None:
    """Refuse a proposal of somebody who could no longer make it: they lost their account, or what they gave."""
    kind, _, key = proposal.proposed_by.partition(":")
    codes = access_codes(proposal)
    if authority_of(Actor(kind, key)).lacks(codes or {"auth.change_user"}):
        raise AccessRefused("Who proposed this could no longer do so. Reject it, and have it proposed anew.")


def access_codes(proposal: AccessProposal) -> set[str]:
    """Return every permission that somebody gains by a proposal, by what its groups give today."""
    if proposal.kind == AccessKind.PERMISSIONS:
        return {*proposal.gains["permissions"]}
    groups = [*Group.objects.filter(name__in=proposal.gains.get("groups", []))]
    subject = subject_of(proposal)
    if isinstance(subject, User) and (proposal.gains.get("active") or proposal.gains.get("staff")):
        groups += subject.groups.all()
    return codes_of(groups)


def _decide(locked: AccessProposal, state: AccessState, actor: Actor) -> AccessProposal:
    before = ACCESS_PROPOSAL.state(locked)
    locked.state, locked.decided_by, locked.decided_at = state, str(actor), clock.now()
    locked.save()
    _record(locked, state.value, before, actor)
    return locked


def _record(proposal: AccessProposal, step: str, before: State | None, actor: Actor) -> None:
    entry = AccessProposalChanged(before=before, after=ACCESS_PROPOSAL.state(proposal), step=step)
    record(entry, subject=ACCESS_PROPOSAL.ref(proposal), actor=actor)


def _give_roles(proposal: AccessProposal, actor: Actor) -> None:
    user = subject_of(proposal)
    if not isinstance(user, User):
        raise AccountConflict("The account is gone.")
    given = proposal.gains
    extend_access(user=user, gains=Gains(given["groups"], given["staff"], given["active"]), actor=actor)


def _give_permissions(proposal: AccessProposal, actor: Actor) -> None:
    group = subject_of(proposal)
    if not isinstance(group, Group):
        raise AccountConflict("The group is gone.")
    wanted = {*proposal.gains["permissions"]}
    known = Permission.objects.select_related("content_type")
    extend_group(group=group, permissions=[each for each in known if permission_code(each) in wanted], actor=actor)


def _take_factors(proposal: AccessProposal, actor: Actor) -> None:
    user = subject_of(proposal)
    if not isinstance(user, User):
        raise AccountConflict("The account is gone.")
    if authority_of(actor).lacks(reach_of(USER.state(user), user.groups.all())):
        raise AccessRefused("This account may do more than yours, so you cannot reset its second factor.")
    reset_factors(user=user, actor=actor, second=True)


_APPLY = {
    AccessKind.ROLES: _give_roles,
    AccessKind.PERMISSIONS: _give_permissions,
    AccessKind.SECOND_FACTOR: _take_factors,
}
