"""Second factors: who needs one, who has one, and what happens to them, on record."""

from typing import Final

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.types import Actor
from governance.console.entries import (
    USER,
    UserRecoveryCodeUsed,
    UserSecondFactorAdded,
    UserSecondFactorRemoved,
    UserSecondFactorsReset,
)
from governance.console.errors import AccountConflict, SecondPersonNeeded
from governance.console.powers import authority_of, can_widen
from governance.console.signin.sessions import end_sessions

#: Recovery codes stand in for a factor; alone they are none.
FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
#: In the session: the key of the user whom the identity provider asked for a second factor.
PROVIDER_ASKED: Final = "assent_provider_second_factor"


def has_factor(user: User) -> bool:
    """Return whether a user has set up a second factor."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists())


def needs_factor(user: User) -> bool:
    """Return whether a user may do nothing in the console without a second factor."""
    return settings.ASSENT_SECOND_FACTOR == "required" and can_widen(user)


def has_proven(request: HttpRequest, user: User) -> bool:
    """Return whether the person in this session showed a second factor, here or at the identity provider."""
    if provider_asked(request, user):
        return True
    shown = any(each["method"] == "mfa" for each in get_authentication_records(request, user))
    return shown and has_factor(user)


def provider_asked(request: HttpRequest, user: User) -> bool:
    """Return whether the identity provider said that this user, and no other, showed a second factor there."""
    return request.session.get(PROVIDER_ASKED) == str(user.pk)


@transaction.atomic
def factor_added(request: HttpRequest, user: User, factor: str) -> None:
    """Record a new factor. Who sets one up has just shown it, so the session counts as proven."""
    record(UserSecondFactorAdded(factor=factor), subject=USER.ref(user), actor=_self(user))
    record_authentication(request, user, "mfa", type=factor, reauthenticated=True)


@transaction.atomic
def factor_removed(user: User, factor: str) -> None:
    """Record that a user removed a factor."""
    record(UserSecondFactorRemoved(factor=factor), subject=USER.ref(user), actor=_self(user))


@transaction.atomic
def recovery_codes_made(user: User) -> None:
    """Record that a user made new recovery codes, which the old ones ended with."""
    added = UserSecondFactorAdded(factor=Authenticator.Type.RECOVERY_CODES.value)
    record(added, subject=USER.ref(user), actor=_self(user))


@transaction.atomic
def recovery_code_used(user: User) -> None:
    """Record that a user signed in with a recovery code."""
    record(UserRecoveryCodeUsed(), subject=USER.ref(user), actor=_self(user))


@transaction.atomic
def reset_factors(*, user: User, actor: Actor, second: bool = False) -> None:
    """Remove all second factors of a user who lost them, and end their sessions.

    `second`: somebody else proposed it. Raises AccountConflict for one's own account and for one without factors, and
    SecondPersonNeeded for an account that can widen what is allowed: with its password, one person could act as two.
    """
    if actor == _self(user):
        raise AccountConflict("Remove your own factors on your account page, which asks for one of them.")
    locked, _ = lock_unchanged(USER, user, seen=None)
    held = sorted(Authenticator.objects.filter(user=locked).values_list("type", flat=True))
    if not held:
        raise AccountConflict("The account has no second factor.")
    if can_widen(locked) and not second and not authority_of(actor).alone:
        raise SecondPersonNeeded("This account can widen what is allowed, so a second person must approve it.")
    Authenticator.objects.filter(user=locked).delete()
    end_sessions(locked)
    record(UserSecondFactorsReset(factors=held), subject=USER.ref(locked), actor=actor)


def _self(user: User) -> Actor:
    return Actor("user", str(user.pk))
