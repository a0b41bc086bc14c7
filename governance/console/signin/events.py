"""What happens to people's sign-in, on record. Entries name the key of an account only."""

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.recording.record import record
from governance.audit.types import Actor
from governance.console.entries import USER, UserSignInLocked, UserSignInUnlocked

SIGN_IN = Actor("system", "sign-in")


@transaction.atomic
def sign_in_locked(username: str) -> None:
    """Record that an account has no attempt left. Names without an account leave nothing: anybody could send many."""
    user = User.objects.filter(username__iexact=username.strip()).first()
    if user is not None:
        record(UserSignInLocked(), subject=USER.ref(user), actor=SIGN_IN)


@transaction.atomic
def sign_in_unlocked(*, user: User, actor: Actor) -> None:
    """Record that somebody ended the wait of an account."""
    record(UserSignInUnlocked(), subject=USER.ref(user), actor=actor)
