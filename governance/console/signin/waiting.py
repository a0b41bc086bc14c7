"""Accounts that have to wait after too many failed attempts, and how an administrator ends that."""

from django.contrib.auth.models import User
from django.http import HttpRequest

from governance.audit.types import Actor
from governance.console.signin.attempts import account_key, end_limit, factor_key, is_used_up
from governance.console.signin.events import sign_in_unlocked


def is_locked(request: HttpRequest, user: User) -> bool:
    """Return whether no further password or code of this user is looked at for now."""
    return any(is_used_up(request, key) for key in _keys(user))


def end_wait(request: HttpRequest, *, user: User, actor: Actor) -> None:
    """Let a user try again at once, on record. Limits on addresses stay."""
    sign_in_unlocked(user=user, actor=actor)
    for key in _keys(user):
        end_limit(request, key)


def _keys(user: User) -> tuple[str, str]:
    return account_key(user.username), factor_key(user.pk)
