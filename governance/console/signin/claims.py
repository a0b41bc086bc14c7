"""What an identity provider says of a person, checked (OpenID Connect Core 1.0, section 3.1.3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import jwt
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings

#: Signatures by a private key of the provider. `none` and HMAC, whose key we hold too, prove nothing.
ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
REQUIRED: Final = frozenset({"iss", "sub", "aud", "exp", "iat"})
SUBJECT_CHARACTERS: Final = 150


@dataclass(frozen=True, slots=True)
class Claims:
    """Who signed in. `email` is empty unless the provider verified it."""

    subject: str
    nonce: str
    username: str
    first_name: str
    last_name: str
    email: str
    groups: frozenset[str]
    second_factor: bool


def verified_claims(id_token: str, *, configuration: Mapping[str, object]) -> Claims:
    """Return what a signed ID token says. Raises OAuth2Error for one that is not the provider's, or not for us."""
    try:
        algorithm = jwt.get_unverified_header(id_token).get("alg")
    except jwt.PyJWTError as error:
        raise OAuth2Error("The ID token cannot be read.") from error
    if algorithm not in ALGORITHMS:
        raise OAuth2Error(f"ID tokens signed with {algorithm} are not accepted.")
    try:
        said: dict[str, object] = jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=configuration["jwks_uri"],
            issuer=configuration["issuer"],
            audience=settings.ASSENT_OIDC_CLIENT_ID,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )
    except (KeyError, TypeError, ValueError) as error:  # a header without `kid`, keys of another form
        raise OAuth2Error("The ID token does not fit the provider's keys.") from error
    return parsed_claims(said)


def parsed_claims(said: Mapping[str, object]) -> Claims:
    """Return the claims of a token whose signature, issuer, audience and age were checked. Raises OAuth2Error."""
    missing = sorted(REQUIRED - said.keys())
    if missing:
        raise OAuth2Error(f"The ID token lacks {', '.join(missing)}.")
    audience = said["aud"]
    if isinstance(audience, list) and len(audience) > 1 and said.get("azp") != settings.ASSENT_OIDC_CLIENT_ID:
        raise OAuth2Error("The ID token was issued for another client.")
    subject = _text(said, "sub")
    if not 1 <= len(subject) <= SUBJECT_CHARACTERS:
        raise OAuth2Error("The ID token names nobody.")
    shown = {*_texts(said, "amr"), *_texts(said, "acr")}
    return Claims(
        subject=subject,
        nonce=_text(said, "nonce"),
        username=_text(said, "preferred_username"),
        first_name=_text(said, "given_name"),
        last_name=_text(said, "family_name"),
        email=_text(said, "email") if said.get("email_verified") is True else "",
        groups=frozenset(_texts(said, settings.ASSENT_OIDC_GROUPS_CLAIM)),
        second_factor=bool(shown & {*settings.ASSENT_OIDC_SECOND_FACTOR}),
    )


def _text(said: Mapping[str, object], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _texts(said: Mapping[str, object], name: str) -> list[str]:
    value = said.get(name)
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
