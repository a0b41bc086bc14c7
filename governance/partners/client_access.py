"""Use cases about the access of API clients: disabling and enabling them, and revoking all their tokens."""

import re

from django.db import transaction

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.kernel import clock
from governance.partners.cut_off import lock_for_cut
from governance.partners.entries import CLIENT, ClientDisabled, ClientEnabled, ClientTokensRevoked
from governance.partners.errors import ClientInvalid, ClientStatusConflict
from governance.partners.models import AccessToken, ApiClient

_REASON = re.compile(r"[a-z][a-z_]{0,63}")


@transaction.atomic
def disable_client(*, client: ApiClient, reason: str, actor: Actor, seen: State | None = None) -> int:
    """Take a client out of service until it is enabled; return how many tokens could still be used.

    All its tokens are revoked at once, which ends the jobs that were submitted with them (`cut_off`). `reason` is a
    code. Raises ClientStatusConflict, ClientInvalid, ChangedMeanwhile.
    """
    check_reason(reason)
    lock_for_cut(client.partner_id)
    locked, before = lock_unchanged(CLIENT, client, seen=seen)
    if locked.disabled_at is not None:
        raise ClientStatusConflict("This client is disabled already.")
    locked.disabled_at = clock.now()
    locked.save(update_fields=["disabled_at"])
    live = _revoke_all(locked)
    entry = ClientDisabled(before=before, after=CLIENT.state(locked), live_tokens=live, reason=reason)
    record(entry, subject=CLIENT.ref(locked), actor=actor)
    return live


@transaction.atomic
def enable_client(*, client: ApiClient, reason: str, actor: Actor, seen: State | None = None) -> None:
    """Put a disabled client back into service; tokens from before stay revoked.

    Raises ClientStatusConflict, ClientInvalid, ChangedMeanwhile.
    """
    check_reason(reason)
    locked, before = lock_unchanged(CLIENT, client, seen=seen)
    if locked.disabled_at is None:
        raise ClientStatusConflict("This client is not disabled.")
    locked.disabled_at = None
    locked.save(update_fields=["disabled_at"])
    entry = ClientEnabled(before=before, after=CLIENT.state(locked), reason=reason)
    record(entry, subject=CLIENT.ref(locked), actor=actor)


@transaction.atomic
def revoke_client_tokens(*, client: ApiClient, reason: str, actor: Actor) -> int:
    """Revoke every token of a client at once; return how many could still be used. `reason` is a code."""
    check_reason(reason)
    lock_for_cut(client.partner_id)
    locked, before = lock_unchanged(CLIENT, client, seen=None)
    live = _revoke_all(locked)
    entry = ClientTokensRevoked(before=before, after=before, live_tokens=live, reason=reason)
    record(entry, subject=CLIENT.ref(locked), actor=actor)
    return live


def check_reason(reason: str) -> None:
    """Raise ClientInvalid unless a reason is a code: entries stay for ever and hold nobody's free text."""
    if not _REASON.fullmatch(reason):
        raise ClientInvalid("A reason is a code such as secret_leaked.", details={"field": "reason"})


def _revoke_all(client: ApiClient) -> int:
    now = clock.now()
    # Also those that have expired: jobs that were submitted with them may still be open.
    tokens = AccessToken.objects.filter(application=client, revoked_at=None)
    live = tokens.filter(expires__gt=now).count()
    tokens.update(revoked_at=now, updated=now)
    return live
