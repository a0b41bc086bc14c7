"""Use cases about API clients."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from oauth2_provider.models import AbstractApplication

from governance.audit.recording.record import record
from governance.audit.types import Actor
from governance.kernel.ids import new_token
from governance.partners.entries import CLIENT, ClientCreated
from governance.partners.errors import ClientInvalid
from governance.partners.models import ApiClient, Partner
from governance.partners.types import Coverage


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


def _save_checked(client: ApiClient) -> None:
    try:
        client.full_clean()
    except ValidationError as error:
        raise ClientInvalid("The API client is not valid.", details={"fields": error.message_dict}) from error
    client.save()
