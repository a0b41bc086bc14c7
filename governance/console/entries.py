"""Kinds of ledger entries about console users and their groups.

Users are known by the key of their row: user names, names and addresses are personal data and never part of an entry.
What a user may do is on record with every change of it; so are the permissions of groups.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated

from django.contrib.auth.models import Group, Permission, User

from governance.audit.recording.declarations import Entry, entry
from governance.audit.recording.states import RecordedObject, State, StateEntry, recorded_object
from governance.console.models import AccessProposal
from governance.kernel.canonical import Json

Fields = Annotated[Sequence[str], "Names of the fields that were filled in or changed, never what they say."]


def permission_code(permission: Permission) -> str:
    """Return how Django and the ledger name a permission, such as "partners.change_partner"."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def user_state(user: User) -> State:
    """Return the recorded state of a console user: what the account may do, not whose it is."""
    return {
        "active": user.is_active,
        "staff": user.is_staff,
        "superuser": user.is_superuser,
        "groups": _sorted(group.name for group in user.groups.all()),
        "permissions": _sorted(permission_code(each) for each in user.user_permissions.all()),
    }


def group_state(group: Group) -> State:
    """Return the recorded state of a group of console users."""
    return {"name": group.name, "permissions": _sorted(permission_code(each) for each in group.permissions.all())}


def _sorted(names: Iterable[str]) -> list[Json]:
    return [*sorted(names)]


USER = recorded_object(
    RecordedObject(
        subject="user",
        noun="console user",
        rows=lambda: User.objects.prefetch_related("groups", "user_permissions__content_type"),
        key=lambda user: str(user.pk),
        slug=lambda user: str(user.pk),
        state=user_state,
    )
)
GROUP = recorded_object(
    RecordedObject(
        subject="group",
        noun="group",
        rows=lambda: Group.objects.prefetch_related("permissions__content_type"),
        key=lambda group: str(group.pk),
        slug=lambda group: group.name,
        state=group_state,
    )
)


ACCESS_PROPOSAL = recorded_object(
    RecordedObject(
        subject="access_proposal",
        noun="access proposal",
        rows=AccessProposal.objects.all,
        key=lambda proposal: str(proposal.pk),
        slug=lambda proposal: str(proposal.pk),
        state=lambda proposal: {
            "kind": str(proposal.kind),
            "subject": proposal.subject_key,
            "gains": proposal.gains,
            "state": str(proposal.state),
            "proposed_by": proposal.proposed_by,
            "decided_by": proposal.decided_by or None,
        },
    )
)


@entry("access_proposal.changed", subject="access_proposal", since="0.3")
class AccessProposalChanged(StateEntry):
    """More access for a console user or a group was proposed, approved, rejected or withdrawn."""

    step: Annotated[str, "`proposed`, `approved`, `rejected` or `withdrawn`."]


@entry("user.created", subject="user")
class UserCreated(StateEntry):
    """A console user was added."""

    fields: Fields


@entry("user.changed", subject="user")
class UserChanged(StateEntry):
    """A console user's name, address, groups or rights were changed."""

    fields: Fields


@entry("user.deactivated", subject="user", since="0.2")
class UserDeactivated(StateEntry):
    """A console user can no longer log in; open sessions ended with it."""


@entry("user.activated", subject="user", since="0.2")
class UserActivated(StateEntry):
    """A console user can log in again."""


@entry(
    "user.password_set", subject="user", since="0.2", unmatched="Of a password only a hash is kept, which no entry has."
)
class UserPasswordSet(Entry):
    """Somebody gave a console user a new password."""


@entry("user.sign_in_locked", subject="user", since="0.3", unmatched="Attempts are counted for minutes only.")
class UserSignInLocked(Entry):
    """Too many attempts to sign in as a console user failed; for some minutes no more are made."""


@entry("user.sign_in_unlocked", subject="user", since="0.3", unmatched="Attempts are counted for minutes only.")
class UserSignInUnlocked(Entry):
    """Somebody ended the wait after too many failed attempts."""


@entry("user.sessions_ended", subject="user", since="0.3", unmatched="Sessions are rows that come and go.")
class UserSessionsEnded(Entry):
    """All sessions of a console user were ended."""


Factor = Annotated[str, "`totp` (an app), `webauthn` (a key or a device) or `recovery_codes`."]
_UNSEEN = "Factors are secrets; entries do not have them."


@entry("user.second_factor_added", subject="user", since="0.3", unmatched=_UNSEEN)
class UserSecondFactorAdded(Entry):
    """A console user set up a second factor."""

    factor: Factor


@entry("user.second_factor_removed", subject="user", since="0.3", unmatched=_UNSEEN)
class UserSecondFactorRemoved(Entry):
    """A console user removed a second factor."""

    factor: Factor


@entry("user.recovery_code_used", subject="user", since="0.3", unmatched=_UNSEEN)
class UserRecoveryCodeUsed(Entry):
    """A console user signed in with a recovery code instead of a second factor."""


@entry("user.second_factors_reset", subject="user", since="0.3", unmatched=_UNSEEN)
class UserSecondFactorsReset(Entry):
    """Somebody removed all second factors of a console user, whose sessions ended with it."""

    factors: Annotated[Sequence[str], "Which factors there were."]


@entry("user.provider_linked", subject="user", since="0.3", unmatched="Who somebody is elsewhere is personal data.")
class UserProviderLinked(Entry):
    """A console user was made by the first single sign-on of a person, and belongs to that person only."""


@entry("user.deleted", subject="user")
class UserDeleted(StateEntry):
    """A console user was deleted; entries go on to name the key of the row."""


@entry("user.adopted", subject="user", since="0.2")
class UserAdopted(StateEntry):
    """A console user from before version 0.2 was recorded as it was at the upgrade."""


@entry("group.created", subject="group")
class GroupCreated(StateEntry):
    """A group of console users was made."""


@entry("group.changed", subject="group")
class GroupChanged(StateEntry):
    """The permissions of a group of console users were changed."""


@entry("group.deleted", subject="group")
class GroupDeleted(StateEntry):
    """A group that nobody was in was deleted."""


@entry("group.adopted", subject="group", since="0.2")
class GroupAdopted(StateEntry):
    """A group from before version 0.2 was recorded as it was at the upgrade."""
