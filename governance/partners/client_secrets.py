"""Use cases about the secrets of API clients. Only hashes are stored; a new secret is returned once."""

from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from oauth2_provider.settings import oauth2_settings

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.kernel import clock
from governance.kernel.ids import new_token
from governance.partners.entries import CLIENT, ClientEarlierSecretEnded, ClientSecretRotated
from governance.partners.errors import ClientKeysInUse, OverlapInvalid, SecretNotOverlapping
from governance.partners.models import ApiClient

#: How long an earlier secret may go on at most.
MAX_OVERLAP = timedelta(days=7)
#: How long it goes on unless somebody says otherwise: time to roll out the new one.
USUAL_OVERLAP = timedelta(hours=24)


@transaction.atomic
def rotate_secret(
    *,
    client: ApiClient,
    earlier_until: datetime | None,
    actor: Actor,
    seen: State | None = None,
) -> str:
    """Give a client a new secret and return it: 256 random bits that cannot be read again.

    The secret until now goes on until `earlier_until`, at most MAX_OVERLAP from now; None ends it at once. A still
    earlier one ends. Raises OverlapInvalid, ClientKeysInUse, ChangedMeanwhile.
    """
    now = clock.now()
    if earlier_until is not None and not now < earlier_until <= now + MAX_OVERLAP:
        message = f"The earlier secret may go on for up to {MAX_OVERLAP.days} days from now."
        raise OverlapInvalid(message, details={"field": "earlier_until"})
    locked, before = lock_unchanged(CLIENT, client, seen=seen)
    if locked.keys.exists():
        raise ClientKeysInUse("This client authenticates by keys and has no secret.")
    secret = new_token()
    locked.earlier_secret = locked.client_secret if earlier_until is not None else ""
    locked.earlier_secret_until = earlier_until
    locked.client_secret = make_password(secret, hasher=oauth2_settings.CLIENT_SECRET_HASHER)
    locked.secret_set_at = now
    locked.save(update_fields=["client_secret", "earlier_secret", "earlier_secret_until", "secret_set_at"])
    record(ClientSecretRotated(before=before, after=CLIENT.state(locked)), subject=CLIENT.ref(locked), actor=actor)
    return secret


@transaction.atomic
def end_earlier_secret(*, client: ApiClient, actor: Actor, seen: State | None = None) -> None:
    """End the overlap now: only the newest secret is good. Raises SecretNotOverlapping, ChangedMeanwhile."""
    locked, before = lock_unchanged(CLIENT, client, seen=seen)
    if not has_earlier_secret(locked):
        raise SecretNotOverlapping("No earlier secret of this client is good any more.")
    locked.earlier_secret, locked.earlier_secret_until = "", None
    locked.save(update_fields=["earlier_secret", "earlier_secret_until"])
    ended = ClientEarlierSecretEnded(before=before, after=CLIENT.state(locked))
    record(ended, subject=CLIENT.ref(locked), actor=actor)


def has_earlier_secret(client: ApiClient) -> bool:
    """Return whether the secret before the newest one is still good."""
    return client.earlier_secret_until is not None and client.earlier_secret_until > clock.now()
