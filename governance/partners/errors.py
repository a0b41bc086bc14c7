"""Errors of the partners area."""

from governance.kernel.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from governance.kernel.reason_codes import ReasonCode


class TokenInvalid(Unauthenticated):
    """There is no such access token."""

    code = "token_invalid"
    title = "The access token is not valid"


class TokenExpired(TokenInvalid):
    """The access token has expired; ask for a new one."""

    code = "token_expired"
    title = "The access token has expired"


class TokenRevoked(TokenInvalid):
    """The access token was revoked, alone or with all tokens of its partner."""

    code = ReasonCode.TOKEN_REVOKED.value
    title = "The access token was revoked"


class PartnerSuspended(TokenInvalid):
    """The partner of the access token is suspended."""

    code = ReasonCode.PARTNER_SUSPENDED.value
    title = "The partner is suspended"


class ClientIsDisabled(TokenInvalid):
    """The API client of the access token is disabled."""

    code = "client_disabled"
    title = "The API client is disabled"


class ScopeInvalid(InvalidInput):
    """A scope is unknown or more than the client may have (RFC 6749 section 5.2)."""

    code = "invalid_scope"
    title = "The scope is not allowed"


class AuthorizationDetailsInvalid(InvalidInput):
    """`authorization_details` is malformed or more than the client may have (RFC 9396 section 5)."""

    code = "invalid_authorization_details"
    title = "The authorization details are not allowed"


class ClientInvalid(InvalidInput):
    """The details of an API client are not valid."""

    code = "client_invalid"
    title = "The API client is not valid"


class ClientStatusConflict(Conflict):
    """The API client is disabled already, or is not disabled."""

    code = "client_status_conflict"
    title = "The API client has this status already"


class ClientInUse(Conflict):
    """The API client was used, so the ledger and its partner's jobs name it; disable it instead."""

    code = "client_in_use"
    title = "The API client was used"


class ClientKeysInUse(Conflict):
    """The API client authenticates by keys, or this is the last key that it has."""

    code = "client_keys_in_use"
    title = "The API client authenticates by keys"


class ClientKeyUnknown(NotFound):
    """The API client has no such key."""

    code = "client_key_unknown"
    title = "There is no such key"


class ClientKeyInvalid(InvalidInput):
    """A public key cannot be used by an API client."""

    code = "client_key_invalid"
    title = "The key is not valid"


class AssertionInvalid(Unauthenticated):
    """An assertion does not authenticate an API client (RFC 7523)."""

    code = "assertion_invalid"
    title = "The assertion is not valid"


class OverlapInvalid(InvalidInput):
    """The earlier secret cannot go on for so long."""

    code = "overlap_invalid"
    title = "The overlap is not valid"


class SecretNotOverlapping(Conflict):
    """Only the newest secret of the API client is good."""

    code = "secret_not_overlapping"
    title = "There is no earlier secret"


class FormUsed(Conflict):
    """The form was sent before, and its work was done then."""

    code = "form_used"
    title = "The form was sent already"


class RoleInvalid(InvalidInput):
    """A role, a permission or an assignment makes no sense."""

    code = "role_invalid"
    title = "The role is not valid"


class TierInvalid(InvalidInput):
    """The details of a tier are not valid."""

    code = "tier_invalid"
    title = "The tier is not valid"


class TierInUse(Conflict):
    """Partners have the tier, so it cannot be deleted."""

    code = "tier_in_use"
    title = "The tier is in use"


class PartnerInvalid(InvalidInput):
    """The details of a partner are not valid."""

    code = "partner_invalid"
    title = "The partner is not valid"


class PartnerStatusConflict(Conflict):
    """The partner is suspended already, or is not suspended."""

    code = "partner_status_conflict"
    title = "The partner has this status already"
