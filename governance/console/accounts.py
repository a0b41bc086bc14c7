"""Use cases about console users. Each change of what a user may do is in the ledger, before and after."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from governance.audit.recording.locking import lock_unchanged, require_same
from governance.audit.recording.record import record
from governance.audit.recording.states import State, StateEntry
from governance.audit.types import Actor
from governance.console.entries import (
    USER,
    UserActivated,
    UserChanged,
    UserCreated,
    UserDeactivated,
    UserDeleted,
    UserPasswordSet,
)
from governance.console.errors import AccessRefused, AccountConflict, AccountInvalid
from governance.console.powers import authority_of, check_gain, reach_of
from governance.console.signin.factors import has_factor, needs_factor
from governance.console.signin.sessions import end_sessions


@dataclass(frozen=True, slots=True)
class Person:
    """Whose account it is. None of it is ever part of a ledger entry."""

    username: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """What an account may do: open the console, everything, or what its groups permit."""

    staff: bool = True
    superuser: bool = False
    groups: Sequence[Group] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Gains:
    """What an account is to have besides what it has."""

    groups: Sequence[str] = ()
    staff: bool = False
    active: bool = False

    def __bool__(self) -> bool:
        return bool(self.groups) or self.staff or self.active


def shown_state(user: User) -> State:
    """Return the state of a user with the personal data beside it, as forms show it and the ledger does not."""
    return {**USER.state(user), **asdict(_person(user))}


@transaction.atomic
def create_user(*, person: Person, access: Access, password: str | None, actor: Actor) -> User:
    """Add a console user; without a password it is one of single sign-on.

    Raises AccountInvalid, also for a user name that is taken and for a weak password, and AccessRefused or
    SecondPersonNeeded for access that the actor cannot give, or cannot give alone.
    """
    user = User(is_staff=access.staff, is_superuser=access.superuser, **asdict(person))
    if password is None:
        user.set_unusable_password()
    else:
        _set_password(user, password)
    _check(user)
    user.save()
    user.groups.set(access.groups)
    _check_gain(set(), user, actor)
    filled = sorted(name for name, value in asdict(person).items() if value)
    created = UserCreated(before=None, after=USER.present_state(user), fields=filled)
    record(created, subject=USER.ref(user), actor=actor)
    return user


@transaction.atomic
def change_user(*, user: User, person: Person, access: Access, actor: Actor, seen: State | None = None) -> User:
    """Change whose account it is and what it may do, and return it; whether it is active stays.

    Whoever loses a role has to log in again. `seen` is what `shown_state` said when the change was prepared, None to
    change the user as it is. Raises AccountInvalid, ChangedMeanwhile, and what `create_user` raises for access.
    """
    locked, before = lock_unchanged(USER, user, seen=None)
    shown, reach = shown_state(locked), reach_of(before, locked.groups.all())
    require_same(USER, locked, seen=seen, now=shown)
    for name, value in asdict(person).items():
        setattr(locked, name, value)
    locked.is_staff, locked.is_superuser = access.staff, access.superuser
    _check(locked)
    locked.save(update_fields=[*asdict(person), "is_staff", "is_superuser"])
    locked.groups.set(access.groups)
    _check_gain(reach, locked, actor)
    after = shown_state(USER.rows().get(pk=locked.pk))
    changed = sorted(name for name in after if after[name] != shown[name])
    if changed:
        entry = UserChanged(before=before, after=USER.present_state(locked), fields=changed)
        record(entry, subject=USER.ref(locked), actor=actor)
    if not _roles(before) <= _roles(after):
        end_sessions(locked)
    return locked


@transaction.atomic
def deactivate_user(*, user: User, actor: Actor, seen: State | None = None) -> User:
    """Let a user no longer log in; open sessions end with their next request.

    Raises AccountConflict for one's own account and for one that is inactive already, ChangedMeanwhile.
    """
    _refuse_own(user, actor)
    changed = _set_active(user, False, UserDeactivated, actor, seen)
    end_sessions(changed)
    return changed


@transaction.atomic
def activate_user(*, user: User, actor: Actor, seen: State | None = None) -> User:
    """Let a user log in again.

    Raises AccountConflict for one that is active already, ChangedMeanwhile, and what `create_user` raises for access.
    """
    return _set_active(user, True, UserActivated, actor, seen)


@transaction.atomic
def set_password(*, user: User, password: str, actor: Actor) -> None:
    """Give a user a new password, which ends all sessions of the account.

    Raises AccountInvalid for a weak one, and AccessRefused for the account of somebody who may do more than the actor,
    or whom nothing but the password protects: who knows a password can use it, and could act as two people.
    """
    locked, state = lock_unchanged(USER, user, seen=None)
    authority = authority_of(actor)
    if authority.own_key != str(user.pk):
        if authority.lacks(reach_of(state, locked.groups.all())):
            raise AccessRefused("This account may do more than yours, so you cannot set its password.")
        if not authority.alone and needs_factor(locked) and not has_factor(locked):
            raise AccessRefused(
                "This account can widen what is allowed and has no second factor yet, so its password alone would let "
                "you act as this person. “manage.py console_user password” sets one."
            )
    _set_password(locked, password)
    locked.save(update_fields=["password"])
    record(UserPasswordSet(), subject=USER.ref(locked), actor=actor)


@transaction.atomic
def give_roles(*, user: User, roles: Collection[Group], among: Collection[Group], actor: Actor) -> User:
    """Put a user into exactly these of the groups `among`; others stay. Whoever loses one has to log in again."""
    locked, before = lock_unchanged(USER, user, seen=None)
    reach = reach_of(before, locked.groups.all())
    locked.groups.remove(*(group for group in among if group not in roles))
    locked.groups.add(*roles)
    _check_gain(reach, locked, actor)
    after = USER.present_state(locked)
    if after != before:
        record(UserChanged(before=before, after=after, fields=["groups"]), subject=USER.ref(locked), actor=actor)
    if not _roles(before) <= _roles(after):
        end_sessions(locked)
    return locked


@transaction.atomic
def extend_access(*, user: User, gains: Gains, actor: Actor) -> User:
    """Give a user what somebody proposed; `actor` is the second person. Raises AccountConflict, AccessRefused."""
    locked, before = lock_unchanged(USER, user, seen=None)
    if gains.active:
        locked.is_active = True
    if gains.staff:
        locked.is_staff = True
    groups = list(Group.objects.filter(name__in=gains.groups))
    if len(groups) != len(gains.groups):
        raise AccountConflict("A group of this proposal is gone. Reject it, and have it proposed anew.")
    check_gain(
        reach_of({**before, "active": locked.is_active, "staff": locked.is_staff}, [*locked.groups.all(), *groups])
        - reach_of(before, locked.groups.all()),
        authority=authority_of(actor),
        own=actor == Actor("user", str(locked.pk)),
        second=True,
    )
    locked.save(update_fields=["is_active", "is_staff"])
    locked.groups.add(*groups)
    after = USER.present_state(locked)
    if before["active"] != after["active"]:
        record(UserActivated(before=before, after=after), subject=USER.ref(locked), actor=actor)
    elif before != after:
        fields = sorted(name for name in after if after[name] != before[name])
        record(UserChanged(before=before, after=after, fields=fields), subject=USER.ref(locked), actor=actor)
    return locked


@transaction.atomic
def delete_user(*, user: User, actor: Actor, seen: State | None = None) -> None:
    """Delete a user; the ledger still says what the account did. Raises AccountConflict for one's own account."""
    _refuse_own(user, actor)
    locked, before = lock_unchanged(USER, user, seen=seen)
    ref = USER.ref(locked)
    locked.delete()
    record(UserDeleted(before=before, after=None), subject=ref, actor=actor)


def _check_gain(before: set[str], user: User, actor: Actor) -> None:
    """Check what a user whose row is written already may do besides `before`. Raises what `check_gain` raises."""
    gain = reach_of(USER.present_state(user), user.groups.all()) - before
    check_gain(gain, authority=authority_of(actor), own=actor == Actor("user", str(user.pk)))


def _roles(state: State) -> set[str]:
    groups = state["groups"]
    assert isinstance(groups, list)
    return {f"group {name}" for name in groups} | {right for right in ("staff", "superuser") if state[right]}


def _set_active(user: User, active: bool, kind: type[StateEntry], actor: Actor, seen: State | None) -> User:
    locked, before = lock_unchanged(USER, user, seen=seen)
    if locked.is_active == active:
        raise AccountConflict(f"The account is {'active' if active else 'inactive'} already.")
    locked.is_active = active
    locked.save(update_fields=["is_active"])
    _check_gain(reach_of(before, locked.groups.all()), locked, actor)
    record(kind(before=before, after=USER.state(locked)), subject=USER.ref(locked), actor=actor)
    return locked


def _refuse_own(user: User, actor: Actor) -> None:
    if actor == Actor("user", str(user.pk)):
        raise AccountConflict("Nobody locks themselves out; ask somebody else.")


def _person(user: User) -> Person:
    return Person(user.username, user.first_name, user.last_name, user.email)


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise AccountInvalid("The password is too weak.", details={"fields": {"password": error.messages}}) from error
    user.set_password(password)


def _check(user: User) -> None:
    try:
        user.full_clean()
    except ValidationError as error:
        raise AccountInvalid("The user is not valid.", details={"fields": error.message_dict}) from error
