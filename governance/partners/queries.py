"""Reads across partners, clients and tokens."""

import hashlib
from typing import Any

from governance.kernel import clock
from governance.partners.errors import TokenInvalid
from governance.partners.models import AccessToken, ApiClient
from governance.partners.types import Coverage, TokenGrant

REFUSALS = {
    "token_invalid": "The access token is not known.",
    "token_expired": "The access token has expired; ask for a new one.",
    "token_revoked": "The access token was revoked.",
    "partner_suspended": "The partner of this access token is suspended.",
}


def find_token(raw_token: str) -> AccessToken | None:
    """Return the token with its client, partner and tier, live or not; None when there is no such token."""
    checksum = hashlib.sha256(raw_token.encode()).hexdigest()
    linked = AccessToken.objects.select_related("application__partner__tier")
    return linked.filter(token_checksum=checksum).first()


def live_token(raw_token: str) -> TokenGrant:
    """Return what a token covers. Raises TokenInvalid, with the code that says why, unless it may be used right now."""
    token = find_token(raw_token)
    refusal = "token_invalid" if token is None else token.refusal(at=clock.now())
    if token is None or refusal:
        raise TokenInvalid(REFUSALS[refusal], code=refusal)
    return token_grant(token)


def token_grant(token: AccessToken) -> TokenGrant:
    """Return whose token this is and what it covers. Does not ask whether it is live; `live_token` does."""
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
    )


def introspection(*, raw_token: str, client: ApiClient) -> dict[str, Any] | None:
    """Return the claims of RFC 7662 section 2.2 about a token of the asking client's partner; None if not live.

    Other partners' tokens look the same as tokens that do not exist (RFC 7662 section 4).
    """
    token = find_token(raw_token)
    if token is None or token.refusal(at=clock.now()) or token.application.partner_id != client.partner_id:
        return None
    return {
        "scope": token.scope,
        "client_id": token.application.client_id,
        "token_type": "Bearer",
        "exp": int(token.expires.timestamp()),
        "iat": int(token.created.timestamp()),
        "authorization_details": token.authorization_details,
    }
