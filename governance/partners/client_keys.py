"""Use cases about the public keys of API clients, which authenticate with them instead of a secret (RFC 7523)."""

from collections.abc import Mapping

from django.contrib.auth.hashers import make_password
from django.db import transaction
from oauth2_provider.settings import oauth2_settings

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.kernel.ids import new_token
from governance.partners.entries import CLIENT, ClientKeyAdded, ClientKeyRemoved
from governance.partners.errors import ClientKeyInvalid, ClientKeysInUse, ClientKeyUnknown
from governance.partners.jwks import read_public_key
from governance.partners.models import ApiClient, ClientKey

MAX_KEYS = 5


@transaction.atomic
def add_key(*, client: ApiClient, jwk: Mapping[str, object], actor: Actor, seen: State | None = None) -> ClientKey:
    """Add a public key, given as a JWK, to a client. With the first one the client's secret ends.

    Raises ClientKeyInvalid for what is no public key that is taken, or is there already; ChangedMeanwhile.
    """
    key = read_public_key(jwk)
    locked, before = lock_unchanged(CLIENT, client, seen=seen)
    held = list(locked.keys.all())
    if len(held) >= MAX_KEYS:
        raise ClientKeyInvalid(f"A client has at most {MAX_KEYS} keys. Remove one first.", details={"field": "jwk"})
    if any(each.kid == key.kid or each.thumbprint == key.thumbprint for each in held):
        raise ClientKeyInvalid("The client has this key, or one of this name.", details={"field": "jwk"})
    added = ClientKey.objects.create(
        client=locked, kid=key.kid, algorithm=key.algorithm, jwk=dict(key.jwk), thumbprint=key.thumbprint
    )
    if not held:
        _end_secrets(locked)
    locked = CLIENT.rows().get(pk=locked.pk)
    record(ClientKeyAdded(before=before, after=CLIENT.state(locked)), subject=CLIENT.ref(locked), actor=actor)
    return added


@transaction.atomic
def remove_key(*, client: ApiClient, kid: str, actor: Actor, seen: State | None = None) -> None:
    """Remove a public key of a client; assertions signed with it are refused at once.

    Raises ClientKeyUnknown; ClientKeysInUse for the last one, without which the client could do nothing;
    ChangedMeanwhile.
    """
    locked, before = lock_unchanged(CLIENT, client, seen=seen)
    keys = {key.kid: key for key in locked.keys.all()}
    if kid not in keys:
        raise ClientKeyUnknown("The client has no such key.")
    if len(keys) == 1:
        raise ClientKeysInUse("This is the client's last key. Add another one first, or disable the client.")
    ClientKey.objects.filter(pk=keys[kid].pk).delete()
    locked = CLIENT.rows().get(pk=locked.pk)
    record(ClientKeyRemoved(before=before, after=CLIENT.state(locked)), subject=CLIENT.ref(locked), actor=actor)


def _end_secrets(client: ApiClient) -> None:
    # The hash of what nobody knows: an empty or unusable one would be compared as it is.
    client.client_secret = make_password(new_token(), hasher=oauth2_settings.CLIENT_SECRET_HASHER)
    client.earlier_secret, client.earlier_secret_until, client.secret_set_at = "", None, None
    client.save(update_fields=["client_secret", "earlier_secret", "earlier_secret_until", "secret_set_at"])
