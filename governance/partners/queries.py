"""Reads across partners, clients and tokens."""

import hashlib
from typing import Any

from django.db.models import QuerySet

from governance.kernel import clock
from governance.partners.errors import TokenInvalid
from governance.partners.models import AccessToken, ApiClient
from governance.partners.types import Coverage, TokenGrant


def find_token(raw_token: str) -> AccessToken | None:
    """Return the token with its client, partner and tier, live or not; None when there is no such token."""
    checksum = hashlib.sha256(raw_token.encode()).hexdigest()
    return _linked_tokens().filter(token_checksum=checksum).first()


def live_token(raw_token: str) -> TokenGrant:
    """Return what a token covers. Raises TokenInvalid, or the subclass that says why, unless it may be used now."""
    return _live(find_token(raw_token))


def read_again(grant: TokenGrant) -> TokenGrant:
    """Return a grant as it is now: call it in the transaction of what the token is used for. Raises TokenInvalid.

    Between the check of a token and that transaction, the token may have been revoked or its partner suspended.
    """
    return _live(_linked_tokens().filter(pk=int(grant.token_id)).first())


def token_grant(token: AccessToken) -> TokenGrant:
    """Return whose token this is and what it covers. Does not check whether it is live; `live_token` does."""
    coverage = Coverage.from_details(token.authorization_details)
    client: ApiClient = token.application
    return TokenGrant(
        token_id=str(token.pk),
        client=client,
        partner=client.partner,
        actions=coverage.actions,
        purposes=coverage.purposes,
        models=coverage.models,
        datasets=coverage.datasets,
        issued_at=token.created,
        expires_at=token.expires,
    )


def introspection(*, raw_token: str, client: ApiClient) -> dict[str, Any] | None:
    """Return the claims of RFC 7662 section 2.2 about a token of the asking client's partner; None if not live.

    Other partners' tokens look the same as tokens that do not exist (RFC 7662 section 4).
    """
    token = find_token(raw_token)
    if token is None or token.is_expired() or token.application.partner_id != client.partner_id:
        return None
    return {
        "scope": token.scope,
        "client_id": token.application.client_id,
        "token_type": "Bearer",
        "exp": int(token.expires.timestamp()),
        "iat": int(token.created.timestamp()),
        "authorization_details": token.authorization_details,
    }


def _linked_tokens() -> QuerySet[AccessToken]:
    return AccessToken.objects.select_related("application__partner__tier")


def _live(token: AccessToken | None) -> TokenGrant:
    if token is None:
        raise TokenInvalid("The access token is not known.")
    refusal = token.refusal(at=clock.now())
    if refusal is not None:
        raise refusal
    return token_grant(token)
