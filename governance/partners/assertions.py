"""Assertions by which API clients authenticate with a private key (RFC 7521 section 4.2, RFC 7523 section 3).

The algorithm follows from the key that was registered, never from the assertion, so that neither `none` nor a public
key taken for a shared one can be passed off. Each assertion is taken once.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction

from governance.kernel import clock
from governance.kernel.json_reading import JsonRefused, read_json_object
from governance.partners.choices import KeyAlgorithm
from governance.partners.errors import AssertionInvalid
from governance.partners.jwks import is_signed
from governance.partners.models import ApiClient, ClientKey, UsedAssertion

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_CHARACTERS: Final = 8192
MAX_LIFE: Final = timedelta(minutes=5)
#: How far the clock of a client may be ahead of ours.
SKEW: Final = timedelta(seconds=30)
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_HEADER = frozenset({"alg", "kid", "typ"})
_TYPES = frozenset({"JWT", "client-authentication+jwt"})


def client_of_assertion(*, assertion: str, client_id: str | None, audiences: Collection[str]) -> ApiClient:
    """Return the client that an assertion authenticates, and mark the assertion as used.

    `client_id` is the request's own, if it has one; `audiences` are our names. Raises AssertionInvalid.
    """
    parts = _COMPACT.fullmatch(assertion) if len(assertion) <= MAX_CHARACTERS else None
    if parts is None:
        raise AssertionInvalid(f"An assertion is a signed JWT of at most {MAX_CHARACTERS} characters.")
    header, claims = _object(parts[1], "header"), _object(parts[2], "claims")
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or issuer != claims.get("sub") or (client_id is not None and client_id != issuer):
        raise AssertionInvalid("The claims iss and sub of an assertion are the client's id.")
    client = (
        ApiClient.objects.select_related("partner").filter(client_id=issuer).first() if "\0" not in issuer else None
    )
    key = None if client is None else _key_of(client, header)
    signed = f"{parts[1]}.{parts[2]}".encode("ascii")
    if client is None or key is None or not _is_signed(key, header, signed, _bytes(parts[3])):
        raise AssertionInvalid("The assertion is not signed by a key of this client.")
    _check_times(claims)
    _check_audience(claims, audiences)
    _use_once(client, claims)
    return client


def _object(part: str, what: str) -> Mapping[str, object]:
    try:
        return read_json_object(_bytes(part))
    except JsonRefused as refusal:
        raise AssertionInvalid(f"The {what} of the assertion cannot be read.") from refusal


def _bytes(part: str) -> bytes:
    """Return what base64url without padding stands for (RFC 7515 section 2). Raises AssertionInvalid."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as error:
        raise AssertionInvalid("The assertion is not base64url.") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=") != part.encode("ascii"):
        raise AssertionInvalid("The assertion is not base64url in its only form.")
    return data


def _key_of(client: ApiClient, header: Mapping[str, object]) -> ClientKey | None:
    """Return the key that the header names; without a name, the only one."""
    if set(header) - _HEADER or header.get("typ", "JWT") not in _TYPES:
        raise AssertionInvalid("The header of an assertion has only alg, kid and typ.")
    keys = list(client.keys.all())
    if "kid" not in header:
        return keys[0] if len(keys) == 1 else None
    return next((key for key in keys if key.kid == header["kid"]), None)


def _is_signed(key: ClientKey, header: Mapping[str, object], message: bytes, signature: bytes) -> bool:
    if header.get("alg") != key.algorithm:
        return False
    return is_signed(algorithm=KeyAlgorithm(key.algorithm), jwk=key.jwk, message=message, signature=signature)


def _check_times(claims: Mapping[str, object]) -> None:
    now = clock.now().timestamp()
    issued, expires = _number(claims, "iat"), _number(claims, "exp")
    if expires <= now:
        raise AssertionInvalid("The assertion has expired.")
    if expires > now + (MAX_LIFE + SKEW).total_seconds() or expires - issued > MAX_LIFE.total_seconds():
        raise AssertionInvalid("An assertion lives for at most 5 minutes.")
    if issued > now + SKEW.total_seconds() or ("nbf" in claims and _number(claims, "nbf") > now + SKEW.total_seconds()):
        raise AssertionInvalid("The assertion is not valid yet; check the clock that made it.")


def _number(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise AssertionInvalid(f"The claim {name} of an assertion is a number of seconds.")
    return float(value)


def _check_audience(claims: Mapping[str, object], audiences: Collection[str]) -> None:
    """Raise AssertionInvalid unless the assertion is for us alone: another server could pass on one for both."""
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if len(named) != 1 or not isinstance(named[0], str) or named[0] not in audiences:
        raise AssertionInvalid("The claim aud of an assertion is the URL of the token endpoint, and nothing else.")


def _use_once(client: ApiClient, claims: Mapping[str, object]) -> None:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= 256:
        raise AssertionInvalid("The claim jti of an assertion has 1 to 256 characters.")
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(
                client=client,
                jti_sha256=hashlib.sha256(jti.encode()).hexdigest(),
                # Kept a little longer than the assertion could be taken.
                expires_at=clock.now() + MAX_LIFE + 2 * SKEW,
            )
    except IntegrityError as error:
        raise AssertionInvalid("The assertion was used before. Make a new one for every request.") from error
