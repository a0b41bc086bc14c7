"""Use cases of the partners area: API clients, issuing and revoking tokens."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from oauth2_provider.models import AbstractApplication

from governance.audit.recording.record import write_entry
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.ids import new_token
from governance.partners.errors import ClientInvalid
from governance.partners.models import AccessToken, ApiClient, Partner
from governance.partners.types import Coverage

CHECKSUM_PREFIX = 16
EXPIRED_KEPT = timedelta(days=30)


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
    """Make an API client and return it with its secret, which is 256 random bits and can never be read again.

    No models or datasets means any. Raises ClientInvalid when a name is not in the vocabularies or nothing is allowed.
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
    with transaction.atomic():
        _save_checked(client)
        write_entry(
            kind="client.created",
            subject=SubjectRef("client", client.client_id),
            actor=actor,
            data={"partner": partner.slug, "authorization_details": list(Coverage.of_client(client).to_details())},
        )
    return client, secret


def _save_checked(client: ApiClient) -> None:
    try:
        client.full_clean()
    except ValidationError as error:
        raise ClientInvalid("The API client is not valid.", details={"fields": error.message_dict}) from error
    client.save()


def issue_token(*, client: ApiClient, coverage: Coverage, raw_token: str, seconds: int) -> AccessToken:
    """Store a token that lives for `seconds`; only its SHA-256 is kept.

    Takes the partner's row lock, so that a token is either seen by `revoke_partner_tokens` or dated after it.
    """
    checksum = hashlib.sha256(raw_token.encode()).hexdigest()
    with transaction.atomic():
        Partner.objects.select_for_update(no_key=True).get(pk=client.partner_id)
        issued_at = clock.now()
        token = AccessToken.objects.create(
            application=client,
            token="",
            token_checksum=checksum,
            scope=" ".join(sorted(coverage.actions)),
            authorization_details=coverage.to_details(),
            created=issued_at,
            expires=issued_at + timedelta(seconds=seconds),
        )
        write_entry(
            kind="token.issued",
            subject=SubjectRef("token", str(token.pk)),
            actor=Actor("client", client.client_id),
            data={
                "partner": client.partner.slug,
                "client": client.client_id,
                "checksum_prefix": checksum[:CHECKSUM_PREFIX],
                "expires_in": seconds,
                "authorization_details": token.authorization_details,
            },
        )
    return token


def revoke_token(*, token: AccessToken, actor: Actor, reason: str) -> bool:
    """Revoke one token at once; return whether it was not revoked before. `reason` is a code."""
    with transaction.atomic():
        now = clock.now()
        changed = AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now, updated=now)
        if changed:
            write_entry(
                kind="token.revoked",
                subject=SubjectRef("token", str(token.pk)),
                actor=actor,
                data={"checksum_prefix": token.token_checksum[:CHECKSUM_PREFIX], "reason": reason},
            )
    return bool(changed)


def revoke_partner_tokens(*, partner: Partner, actor: Actor, reason: str) -> int:
    """Revoke every token of a partner at once, also those being issued now; return how many were live.

    Nothing caches tokens, so the next request with one of them is refused. `reason` is a code.
    """
    with transaction.atomic():
        locked = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        now = clock.now()
        locked.tokens_valid_after = now
        locked.save(update_fields=["tokens_valid_after"])
        open_tokens = AccessToken.objects.filter(application__partner=locked, revoked_at=None)
        live = open_tokens.filter(expires__gt=now).count()
        open_tokens.update(revoked_at=now, updated=now)
        write_entry(
            kind="partner.tokens_revoked",
            subject=SubjectRef("partner", locked.slug),
            actor=actor,
            data={"live_tokens": live, "reason": reason},
        )
    partner.tokens_valid_after = now
    return live


def clear_expired_tokens() -> int:
    """Delete tokens that expired more than 30 days ago and return how many; the ledger still tells of them."""
    deleted, _ = AccessToken.objects.filter(expires__lt=clock.now() - EXPIRED_KEPT).delete()
    return deleted
