"""Key pairs: private keys in this process, and descriptions of public keys.

A key id is the first 16 hexadecimal digits of the SHA-256 of the public key's SubjectPublicKeyInfo in DER (RFC 5280
section 4.1.2.7); keys for development carry the prefix `dev-`, so that nobody mistakes what they signed for evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from governance.kernel.canonical import sha256_hex
from governance.keys.ring import REQUIRED_ALGORITHM, KeyAlgorithm, KeyPlan, PublicKeyInfo

PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey
PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey

_P256_BYTES = 32
_GENERATORS: dict[KeyAlgorithm, Callable[[], PrivateKey]] = {
    KeyAlgorithm.ED25519: Ed25519PrivateKey.generate,
    KeyAlgorithm.ES256: lambda: generate_private_key(SECP256R1()),
}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with its public description. The private part is never shown in a representation."""

    info: PublicKeyInfo
    private: PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, plan: KeyPlan) -> "KeyPair":
        """Return a new key from the operating system's randomness, without an end; Ed25519 by default."""
        algorithm = REQUIRED_ALGORITHM.get(plan.purpose, plan.algorithm or KeyAlgorithm.ED25519)
        private = _GENERATORS[algorithm]()
        return cls(info=describe(private.public_key(), plan=plan, algorithm=algorithm), private=private)

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature over `message`."""
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(message)
        # Deterministic (RFC 6979): equal content gets equal bytes, on every machine that has the key.
        return from_der(self.private.sign(message, ECDSA(SHA256(), deterministic_signing=True)))

    def is_signed(self, message: bytes, value: bytes) -> bool:
        """Return whether `value` is this key's signature over `message`."""
        return is_signed_by(self.private.public_key(), message, value)

    def with_info(self, info: PublicKeyInfo) -> "KeyPair":
        """Return the same key under another description."""
        return replace(self, info=info)


def describe(public: PublicKey, *, plan: KeyPlan, algorithm: KeyAlgorithm) -> PublicKeyInfo:
    """Return the description of a new key, without an end."""
    return PublicKeyInfo(
        key_id=key_id_of(public, development=plan.development),
        algorithm=algorithm,
        purpose=plan.purpose,
        not_before=plan.not_before,
        not_after=None,
        revoked_at=None,
        public_pem=public_pem_of(public),
        development=plan.development,
    )


def is_signed_by(public: PublicKey, message: bytes, value: bytes) -> bool:
    """Return whether the 64 bytes `value` are the signature over `message` that `public` verifies."""
    if len(value) != 2 * _P256_BYTES:
        return False
    try:
        if isinstance(public, EllipticCurvePublicKey):
            r, s = int.from_bytes(value[:_P256_BYTES], "big"), int.from_bytes(value[_P256_BYTES:], "big")
            public.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
        else:
            public.verify(value, message)
    except InvalidSignature:
        return False
    return True


def from_der(signature: bytes) -> bytes:
    """Return an ECDSA signature on P-256 as the 64 bytes r||s. Raises ValueError for bytes that are not DER."""
    r, s = decode_dss_signature(signature)
    return r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")


def key_id_of(public: PublicKey, *, development: bool) -> str:
    """Return the key id that belongs to a public key (see the head of this module)."""
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return ("dev-" if development else "") + sha256_hex(spki)[:16]


def public_pem_of(public: PublicKey) -> str:
    """Return a public key as PEM text (RFC 7468 section 13)."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
