"""Signing keys by purpose: which one signs now, and what an older signature is still worth.

Two algorithms. Ed25519 (RFC 8032) signatures are 64 bytes. ES256 (ECDSA on P-256 with SHA-256, RFC 7518 section 3.4)
signatures are the 64 bytes r||s, not DER: that is the form of JOSE and of the DSSE test vector, and it has one length.

A key id is the first 16 hexadecimal digits of the SHA-256 of the public key's SubjectPublicKeyInfo in DER (RFC 5280
section 4.1.2.7); keys for development carry the prefix `dev-`, so that nobody mistakes what they signed for evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from governance.kernel import clock
from governance.kernel.canonical import sha256_hex
from governance.kernel.errors import IntegrityFault, InvalidInput, Unavailable
from governance.kernel.ports import Port

PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey

#: After a rotation the key before is accepted for this long: what it signed a moment ago is still on its way.
ROTATION_OVERLAP = timedelta(hours=1)
_P256_BYTES = 32


class KeyPurpose(StrEnum):
    """What a key may sign. A signature made for one purpose is never accepted for another."""

    PERMIT = "permit"
    EVIDENCE = "evidence"
    REVISION = "revision"
    CHECKPOINT = "checkpoint"
    BUNDLE = "bundle"
    RECEIPT = "receipt"


class KeyAlgorithm(StrEnum):
    """How a key signs."""

    ED25519 = "ed25519"
    ES256 = "es256"


#: Purposes whose signatures others check who know only this algorithm: OPA knows no Ed25519, signed notes nothing else.
REQUIRED_ALGORITHM = {KeyPurpose.BUNDLE: KeyAlgorithm.ES256, KeyPurpose.CHECKPOINT: KeyAlgorithm.ED25519}


class KeyUnavailable(Unavailable):
    """There is no key that may sign for this purpose now."""

    code = "key_unavailable"


class KeyUnknown(InvalidInput):
    """No key has this id."""

    code = "key_unknown"


class SignatureInvalid(IntegrityFault):
    """A signature is not to be trusted.

    Codes: unknown_key, key_purpose_mismatch, key_not_valid_at, key_revoked, bad_signature.
    """

    code = "bad_signature"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature with the key and the algorithm that it claims."""

    key_id: str
    algorithm: KeyAlgorithm
    value: bytes


@dataclass(frozen=True, slots=True)
class PublicKeyInfo:
    """What everybody may know of a key: valid from `not_before` to before `not_after`, worthless from `revoked_at`."""

    key_id: str
    algorithm: KeyAlgorithm
    purpose: KeyPurpose
    not_before: datetime
    not_after: datetime | None
    revoked_at: datetime | None
    public_pem: str
    development: bool

    def revoked(self, at: datetime) -> bool:
        return self.revoked_at is not None and at >= self.revoked_at

    def in_window(self, at: datetime) -> bool:
        return self.not_before <= at and (self.not_after is None or at < self.not_after)


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
    def generate(
        cls, *, purpose: KeyPurpose, algorithm: KeyAlgorithm, not_before: datetime, development: bool
    ) -> "KeyPair":
        """Return a new key from the operating system's randomness, without an end."""
        private = _GENERATORS[algorithm]()
        info = PublicKeyInfo(
            key_id=key_id_of(private, development=development),
            algorithm=algorithm,
            purpose=purpose,
            not_before=not_before,
            not_after=None,
            revoked_at=None,
            public_pem=public_pem_of(private),
            development=development,
        )
        return cls(info=info, private=private)

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature over `message`."""
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(message)
        # Deterministic (RFC 6979): equal content gets equal bytes, on every machine that has the key.
        r, s = decode_dss_signature(self.private.sign(message, ECDSA(SHA256(), deterministic_signing=True)))
        return r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")

    def is_signed(self, message: bytes, value: bytes) -> bool:
        """Return whether `value` is this key's signature over `message`."""
        if len(value) != 2 * _P256_BYTES:
            return False
        public = self.private.public_key()
        try:
            if isinstance(public, EllipticCurvePublicKey):
                r, s = int.from_bytes(value[:_P256_BYTES], "big"), int.from_bytes(value[_P256_BYTES:], "big")
                public.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
            else:
                public.verify(value, message)
        except InvalidSignature:
            return False
        return True


def key_id_of(private: PrivateKey, *, development: bool) -> str:
    """Return the key id that belongs to a private key (see the head of this module)."""
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return ("dev-" if development else "") + sha256_hex(spki)[:16]


def public_pem_of(private: PrivateKey) -> str:
    """Return the public half as PEM text (RFC 7468 section 13)."""
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


KeyChange: TypeAlias = Callable[[tuple[KeyPair, ...]], tuple[KeyPair, ...]]


class KeyStore(Protocol):
    """Where keys are kept, oldest first."""

    def load(self) -> tuple[KeyPair, ...]:
        """Return the keys as they are now, also when another process changed them. Raises GovernanceError."""
        ...

    def update(self, change: KeyChange) -> None:
        """Store what `change` makes of the present keys; nobody else changes them meanwhile."""
        ...


class KeyRing:
    """Signs with the newest valid key of a purpose and judges signatures. Safe for several threads."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    def sign(self, *, purpose: KeyPurpose, message: bytes, prefer: str = "") -> Signature:
        """Sign `message` with the newest key of `purpose` that is valid now. Raises KeyUnavailable.

        `prefer` is the id of a key that signs instead while it is valid: for those who verify by a key they were given.
        """
        pair = self._signer(purpose, at=clock.now(), prefer=prefer)
        return Signature(key_id=pair.info.key_id, algorithm=pair.info.algorithm, value=pair.sign(message))

    def verify(self, *, purpose: KeyPurpose, message: bytes, signature: Signature, at: datetime | None = None) -> None:
        """Accept a signature or raise SignatureInvalid.

        `at` is when the signature was made, as far as the caller can prove that; without it the key must be good now.
        """
        pair = self._find(signature.key_id)
        info, moment = pair.info, at or clock.now()
        about = {"key_id": info.key_id, "at": moment.isoformat()}
        if info.purpose is not purpose:
            wrong = f"Key {info.key_id} signs for '{info.purpose}', not for '{purpose}'."
            raise SignatureInvalid(wrong, code="key_purpose_mismatch", details=about)
        if info.revoked(moment):
            raise SignatureInvalid(f"Key {info.key_id} was revoked by then.", code="key_revoked", details=about)
        if not info.in_window(moment):
            raise SignatureInvalid(f"Key {info.key_id} was not valid then.", code="key_not_valid_at", details=about)
        if info.algorithm is not signature.algorithm or not pair.is_signed(message, signature.value):
            raise SignatureInvalid(f"The signature of key {info.key_id} does not fit the message.", details=about)

    def current(self, *, purpose: KeyPurpose, prefer: str = "") -> PublicKeyInfo:
        """Return the key that `sign` would use now. Raises KeyUnavailable."""
        return self._signer(purpose, at=clock.now(), prefer=prefer).info

    def public_keys(self) -> list[PublicKeyInfo]:
        """Return every key's public description, oldest first, those that ended or were revoked too."""
        return [pair.info for pair in self._store.load()]

    def public_key(self, key_id: str) -> PublicKeyInfo:
        """Return one key's public description. Raises SignatureInvalid `unknown_key`."""
        return self._find(key_id).info

    def rotate(self, *, purpose: KeyPurpose, algorithm: KeyAlgorithm | None = None) -> PublicKeyInfo:
        """Make a new key for `purpose` and let the ones before it end after ROTATION_OVERLAP.

        The new key takes over the algorithm (unless another is asked for, or the purpose requires one) and the
        development mark of the one before.
        Raises KeyUnavailable when the purpose never had a key.
        """
        now = clock.now()
        previous = [pair.info for pair in self._store.load() if pair.info.purpose is purpose]
        if not previous:
            raise KeyUnavailable(f"There is no key for '{purpose}' to rotate.", details={"purpose": purpose.value})
        fresh = KeyPair.generate(
            purpose=purpose,
            algorithm=REQUIRED_ALGORITHM.get(purpose, algorithm or previous[-1].algorithm),
            not_before=now,
            development=previous[-1].development,
        )
        self._store.update(lambda pairs: (*(_retired(pair, purpose, now + ROTATION_OVERLAP) for pair in pairs), fresh))
        return fresh.info

    def revoke(self, *, key_id: str, since: datetime | None = None) -> PublicKeyInfo:
        """Let nothing count that `key_id` signs from `since` on (now when left out). Raises KeyUnknown.

        A revocation may be moved to an earlier time, never to a later one.
        """
        moment = since or clock.now()
        if key_id not in {info.key_id for info in self.public_keys()}:
            raise KeyUnknown(f"There is no key {key_id}.", details={"key_id": key_id})
        self._store.update(lambda pairs: tuple(_revoked(pair, key_id, moment) for pair in pairs))
        return self.public_key(key_id)

    def ensure(self, *, development: bool = False, algorithm: KeyAlgorithm = KeyAlgorithm.ED25519) -> None:
        """Make a key for every purpose that never had one. A purpose whose keys were all revoked stays without.

        `algorithm` is that of the purposes that require none.
        """
        ensure_keys(self._store, development=development, algorithm=algorithm)

    def _signer(self, purpose: KeyPurpose, *, at: datetime, prefer: str = "") -> KeyPair:
        valid = [
            pair
            for pair in reversed(self._store.load())
            if pair.info.purpose is purpose and pair.info.in_window(at) and not pair.info.revoked(at)
        ]
        preferred = [pair for pair in valid if pair.info.key_id == prefer]
        for pair in (*preferred, *valid):
            return pair
        raise KeyUnavailable(f"There is no valid key for '{purpose}'.", details={"purpose": purpose.value})

    def _find(self, key_id: str) -> KeyPair:
        for pair in self._store.load():
            if pair.info.key_id == key_id:
                return pair
        raise SignatureInvalid(f"Key {key_id!r} is not known.", code="unknown_key", details={"key_id": key_id})


def ensure_keys(store: KeyStore, *, development: bool, algorithm: KeyAlgorithm) -> None:
    """Make a key in `store` for every purpose that has none."""
    now = clock.now()

    def with_missing(pairs: tuple[KeyPair, ...]) -> tuple[KeyPair, ...]:
        present = {pair.info.purpose for pair in pairs}
        return pairs + tuple(
            KeyPair.generate(
                purpose=purpose,
                algorithm=REQUIRED_ALGORITHM.get(purpose, algorithm),
                not_before=now,
                development=development,
            )
            for purpose in KeyPurpose
            if purpose not in present
        )

    store.update(with_missing)


def _retired(pair: KeyPair, purpose: KeyPurpose, end: datetime) -> KeyPair:
    ends_before = pair.info.not_after is not None and pair.info.not_after <= end
    if pair.info.purpose is not purpose or ends_before:
        return pair
    return replace(pair, info=replace(pair.info, not_after=end))


def _revoked(pair: KeyPair, key_id: str, since: datetime) -> KeyPair:
    if pair.info.key_id != key_id or pair.info.revoked(since):
        return pair
    return replace(pair, info=replace(pair.info, revoked_at=since))


key_ring: Port[KeyRing] = Port("key_ring")
