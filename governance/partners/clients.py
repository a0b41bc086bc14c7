"""Use cases about API clients."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from oauth2_provider.models import AbstractApplication

from governance.audit.models import LedgerEntry, OutboxEntry
from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.kernel import clock
from governance.kernel.ids import new_token
from governance.kernel.texts import is_line
from governance.partners.cut_off import lock_for_cut
from governance.partners.entries import CLIENT, ClientCreated, ClientDeleted, ClientRenamed
from governance.partners.errors import ClientInUse, ClientInvalid
from governance.partners.models import AccessToken, ApiClient, Partner
from governance.partners.types import Coverage

NAME_CHARACTERS = 255


@transaction.atomic
def create_client(
    *,
    partner: Partner,
    name: str,
    actions: Iterable[str],
    purposes: Iterable[str],
    models: Iterable[str] = (),
    datasets: Iterable[str] = (),
    actor: Actor,
) -> tuple[ApiClient, str]:
    """Create an API client and return it with its secret: 256 random bits that cannot be read again.

    No models or datasets means any. Raises ClientInvalid for unknown names, or when nothing is allowed.
    """
    secret = new_token()
    client = ApiClient(
        partner=partner,
        name=name,
        client_type=AbstractApplication.CLIENT_CONFIDENTIAL,
        authorization_grant_type=AbstractApplication.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
        secret_set_at=clock.now(),
        actions=sorted(set(actions)),
        purposes=sorted(set(purposes)),
        model_slugs=sorted(set(models)),
        dataset_slugs=sorted(set(datasets)),
    )
    _save_checked(client)
    created = ClientCreated(
        before=None,
        after=CLIENT.state(client),
        partner=partner.slug,
        authorization_details=Coverage.of_client(client).to_details(),
    )
    record(created, subject=CLIENT.ref(client), actor=actor)
    return client, secret


@transaction.atomic
def rename_client(*, client: ApiClient, name: str, actor: Actor, seen: State | None = None) -> None:
    """Give a client another name; its id stays. Raises ClientInvalid, ChangedMeanwhile."""
    locked, before = lock_unchanged(CLIENT, client, seen=seen)
    if locked.name == name.strip():
        return
    locked.name = name.strip()
    if not is_line(locked.name, most=NAME_CHARACTERS):
        message = f"A name has 1 to {NAME_CHARACTERS} printable characters."
        raise ClientInvalid(message, details={"field": "name"})
    locked.save(update_fields=["name"])
    record(ClientRenamed(before=before, after=CLIENT.state(locked)), subject=CLIENT.ref(locked), actor=actor)


@transaction.atomic
def delete_client(*, client: ApiClient, actor: Actor) -> None:
    """Delete a client that was never used. Raises ClientInUse, ChangedMeanwhile."""
    lock_for_cut(client.partner_id)
    locked, before = lock_unchanged(CLIENT, client, seen=None)
    if was_used(locked):
        raise ClientInUse("This client was used, so the ledger names it. Disable it instead.")
    subject = CLIENT.ref(locked)
    locked.delete()
    record(ClientDeleted(before=before, after=None), subject=subject, actor=actor)


def was_used(client: ApiClient) -> bool:
    """Return whether a client ever got a token or did anything that is on record."""
    if client.last_used_at is not None or AccessToken.objects.filter(application=client).exists():
        return True
    acted = {"actor_type": "client", "actor_id": client.client_id}
    return LedgerEntry.objects.filter(**acted).exists() or OutboxEntry.objects.filter(**acted).exists()


def _save_checked(client: ApiClient) -> None:
    try:
        client.full_clean()
    except ValidationError as error:
        raise ClientInvalid("The API client is not valid.", details={"fields": error.message_dict}) from error
    client.save()
