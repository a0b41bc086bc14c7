"""Authentication by the bearer token of a partner's API client (RFC 6750 section 2.1)."""

import re

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from governance.partners.client_use import note_use
from governance.partners.errors import TokenInvalid
from governance.partners.models import ApiClient
from governance.partners.queries import live_token
from governance.partners.types import TokenGrant

CHALLENGE = 'Bearer realm="assent"'
B64TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]{1,512}=*")


class TokenAuthentication(BaseAuthentication):
    """Takes the token from the Authorization header only, never from the query or the body (RFC 9700 section 4.3.2)."""

    def authenticate(self, request: Request) -> tuple[ApiClient, TokenGrant] | None:
        """Return the client and what its token covers; None without a bearer token. Raises TokenInvalid."""
        scheme, _, credentials = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        raw_token = credentials.strip()
        if not B64TOKEN.fullmatch(raw_token):
            raise TokenInvalid("The access token is not well formed.")
        grant = live_token(raw_token.decode("ascii"))
        note_use(grant.client)
        return grant.client, grant

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of RFC 6750 section 3 for a request that brought no token."""
        return CHALLENGE


def grant_of(request: Request) -> TokenGrant:
    """Return what the request's token covers. Raises NotAuthenticated when there is none."""
    if not isinstance(request.auth, TokenGrant):
        raise NotAuthenticated
    return request.auth
