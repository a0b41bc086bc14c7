"""Public keys as JWKs (RFC 7517, RFC 7518 section 6, RFC 8037): which are taken, and for which algorithm."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import InvalidKeyError

from governance.kernel.canonical import canonical_json, sha256_hex
from governance.partners.choices import KeyAlgorithm
from governance.partners.errors import ClientKeyInvalid

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
#: By (kty, crv): the algorithm, and the members that make the key (RFC 7638 section 3.2).
_KINDS: Mapping[tuple[str, str | None], tuple[KeyAlgorithm, tuple[str, ...]]] = {
    ("EC", "P-256"): (KeyAlgorithm.ES256, ("crv", "kty", "x", "y")),
    ("OKP", "Ed25519"): (KeyAlgorithm.EDDSA, ("crv", "kty", "x")),
    ("RSA", None): (KeyAlgorithm.RS256, ("e", "kty", "n")),
}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_DESCRIBING = frozenset({"kid", "use", "alg", "key_ops"})
_KID = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key with the one algorithm that its signatures are checked by; `jwk` has only what makes the key."""

    kid: str
    algorithm: KeyAlgorithm
    jwk: Mapping[str, str]
    thumbprint: str


def read_public_key(jwk: Mapping[str, object]) -> PublicKey:
    """Return a public key: P-256, Ed25519, or RSA of 2048 to 8192 bits.

    Without a `kid` its thumbprint is its name. Raises ClientKeyInvalid, also for a private key.
    """
    if _PRIVATE & set(jwk):
        raise _invalid("This is a private or shared key. Make a new one, and give its public part only.")
    kind = (str(jwk.get("kty")), None if jwk.get("kty") == "RSA" else str(jwk.get("crv")))
    if kind not in _KINDS:
        raise _invalid("A key is of the type EC with the curve P-256, OKP with Ed25519, or RSA.")
    algorithm, members = _KINDS[kind]
    unknown = sorted(set(jwk) - set(members) - _DESCRIBING)
    if unknown:
        raise _invalid(f"The key has members that do not belong there: {', '.join(unknown)}.")
    _check_description(jwk, algorithm)
    made = {name: jwk.get(name) for name in members}
    texts = {name: value for name, value in made.items() if isinstance(value, str)}
    if texts != made:
        raise _invalid(f"The key needs the members {', '.join(members)}, each a text.")
    _check_strength(texts, algorithm)
    thumbprint = base64.urlsafe_b64encode(bytes.fromhex(sha256_hex(canonical_json(texts)))).rstrip(b"=").decode()
    kid = jwk.get("kid", thumbprint)
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise _invalid("The kid of a key has 1 to 128 printable ASCII characters, and no blank.")
    return PublicKey(kid=kid, algorithm=algorithm, jwk=texts, thumbprint=thumbprint)


def is_signed(*, algorithm: KeyAlgorithm, jwk: Mapping[str, str], message: bytes, signature: bytes) -> bool:
    """Return whether a signature of a message is by the private part of a key (RFC 7518 section 3)."""
    by = _by(algorithm)
    return bool(by.verify(message, by.from_jwk(dict(jwk)), signature))


def _by(algorithm: KeyAlgorithm) -> Algorithm:
    return get_default_algorithms()[algorithm.value]


def _check_description(jwk: Mapping[str, object], algorithm: KeyAlgorithm) -> None:
    if jwk.get("alg", algorithm.value) != algorithm.value:
        raise _invalid(f"A key of this type signs by {algorithm.value}.")
    if jwk.get("use", "sig") != "sig" or jwk.get("key_ops", ["verify"]) != ["verify"]:
        raise _invalid("The key is not for verifying signatures.")


def _check_strength(jwk: Mapping[str, str], algorithm: KeyAlgorithm) -> None:
    try:
        key = _by(algorithm).from_jwk(dict(jwk))
    except (InvalidKeyError, ValueError, TypeError) as error:
        raise _invalid("The key cannot be read.") from error
    if isinstance(key, RSAPublicKey) and not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise _invalid(f"An RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits.")


def _invalid(sentence: str) -> ClientKeyInvalid:
    return ClientKeyInvalid(sentence, details={"field": "jwk"})
