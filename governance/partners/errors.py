"""Errors of the partners area."""

from governance.kernel.errors import InvalidInput, Unauthenticated


class TokenInvalid(Unauthenticated):
    """An access token is unknown, expired, revoked, or its partner is suspended.

    Codes: token_invalid, token_expired, token_revoked, partner_suspended.
    """

    code = "token_invalid"
    title = "The access token is not valid"


class ScopeInvalid(InvalidInput):
    """A scope is unknown or more than the client may have (RFC 6749 section 5.2)."""

    code = "invalid_scope"
    title = "The scope is not allowed"


class AuthorizationDetailsInvalid(InvalidInput):
    """`authorization_details` is malformed or more than the client may have (RFC 9396 section 5)."""

    code = "invalid_authorization_details"
    title = "The authorization details are not allowed"


class ClientInvalid(InvalidInput):
    """An API client cannot be made like this."""

    code = "client_invalid"
    title = "The API client is not valid"
