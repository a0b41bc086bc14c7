"""Signing keys by purpose: which one signs now, and which older signatures still count.

Two algorithms. Ed25519 (RFC 8032) signatures are 64 bytes. ES256 (ECDSA on P-256 with SHA-256, RFC 7518 section 3.4)
signatures are the 64 bytes r||s, not DER: that is the form of JOSE and of the DSSE test vector, and it has one length.

The ring decides which key may do what; where keys are kept and who computes a signature is the business of a KeyStore:
an encrypted file (`key_store`) or a key management service (`key_kms`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Protocol, TypeAlias

from governance.kernel import clock
from governance.kernel.errors import IntegrityFault, InvalidInput, Unavailable
from governance.kernel.ports import Port

#: After a rotation the key before is accepted for this long: what it just signed may still be in use.
ROTATION_OVERLAP = timedelta(hours=1)


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


#: Purposes whose verifiers support only this algorithm: OPA has no Ed25519, signed notes have nothing else.
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
    """The public description of a key: valid from `not_before` to before `not_after`, void from `revoked_at` on."""

    key_id: str
    algorithm: KeyAlgorithm
    purpose: KeyPurpose
    not_before: datetime
    not_after: datetime | None
    revoked_at: datetime | None
    public_pem: str
    development: bool

    def revoked(self, at: datetime) -> bool:
        """Return whether the key counts for nothing at `at`, because it was revoked by then."""
        return self.revoked_at is not None and at >= self.revoked_at

    def in_window(self, at: datetime) -> bool:
        """Return whether `at` is in the key's period of use; revocation is not looked at."""
        return self.not_before <= at and (self.not_after is None or at < self.not_after)


class SigningKey(Protocol):
    """A key that signs; its private half is in this process or in a service that does not disclose it."""

    @property
    def info(self) -> PublicKeyInfo:
        """The public description of the key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature over `message`. Raises Unavailable when whoever holds the key fails."""
        ...

    def is_signed(self, message: bytes, value: bytes) -> bool:
        """Return whether `value` is this key's signature over `message`."""
        ...

    def with_info(self, info: PublicKeyInfo) -> "SigningKey":
        """Return the same key under another description."""
        ...


KeyChange: TypeAlias = Callable[[tuple[SigningKey, ...]], tuple[SigningKey, ...]]


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """The properties of a new key. `algorithm` gives way to what the purpose or the store requires."""

    purpose: KeyPurpose
    not_before: datetime
    development: bool
    algorithm: KeyAlgorithm | None = None


class KeyStore(Protocol):
    """Where keys are kept, oldest first."""

    def load(self) -> tuple[SigningKey, ...]:
        """Return the keys as they are now, also when another process changed them. Raises GovernanceError."""
        ...

    def generate(self, plan: KeyPlan) -> SigningKey:
        """Make a key without an end, of the kind that this store keeps; it is kept once `update` returns it."""
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

        `prefer` is the id of a key that signs instead while it is valid: for verifiers that were given that key.
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
        plan = KeyPlan(purpose, now, previous[-1].development, algorithm or previous[-1].algorithm)
        fresh = self._store.generate(plan)
        self._store.update(lambda pairs: (*(_retired(pair, purpose, now + ROTATION_OVERLAP) for pair in pairs), fresh))
        return fresh.info

    def revoke(self, *, key_id: str, since: datetime | None = None) -> PublicKeyInfo:
        """Revoke a key from `since` on (now when left out): signatures made since then do not count. Raises KeyUnknown.

        A revocation may be moved to an earlier time, never to a later one.
        """
        moment = since or clock.now()
        if key_id not in {info.key_id for info in self.public_keys()}:
            raise KeyUnknown(f"There is no key {key_id}.", details={"key_id": key_id})
        self._store.update(lambda pairs: tuple(_revoked(pair, key_id, moment) for pair in pairs))
        return self.public_key(key_id)

    def ensure(self, *, development: bool = False, algorithm: KeyAlgorithm | None = None) -> None:
        """Make a key for every purpose that never had one. A purpose whose keys were all revoked gets none.

        `algorithm` is that of the purposes that require none; left out, it is the store's choice.
        """
        ensure_keys(self._store, development=development, algorithm=algorithm)

    def _signer(self, purpose: KeyPurpose, *, at: datetime, prefer: str = "") -> SigningKey:
        valid = [
            pair
            for pair in reversed(self._store.load())
            if pair.info.purpose is purpose and pair.info.in_window(at) and not pair.info.revoked(at)
        ]
        preferred = [pair for pair in valid if pair.info.key_id == prefer]
        for pair in (*preferred, *valid):
            return pair
        raise KeyUnavailable(f"There is no valid key for '{purpose}'.", details={"purpose": purpose.value})

    def _find(self, key_id: str) -> SigningKey:
        for pair in self._store.load():
            if pair.info.key_id == key_id:
                return pair
        raise SignatureInvalid(f"Key {key_id!r} is not known.", code="unknown_key", details={"key_id": key_id})


def ensure_keys(store: KeyStore, *, development: bool, algorithm: KeyAlgorithm | None) -> None:
    """Make a key in `store` for every purpose that has none, one by one: what was made before a failure is kept."""
    now = clock.now()
    for purpose in KeyPurpose:
        plan = KeyPlan(purpose, now, development, algorithm)
        store.update(partial(_with_key, store, plan))


def _with_key(store: KeyStore, plan: KeyPlan, pairs: tuple[SigningKey, ...]) -> tuple[SigningKey, ...]:
    if any(pair.info.purpose is plan.purpose for pair in pairs):
        return pairs
    return (*pairs, store.generate(plan))


def _retired(pair: SigningKey, purpose: KeyPurpose, end: datetime) -> SigningKey:
    ends_before = pair.info.not_after is not None and pair.info.not_after <= end
    if pair.info.purpose is not purpose or ends_before:
        return pair
    return pair.with_info(replace(pair.info, not_after=end))


def _revoked(pair: SigningKey, key_id: str, since: datetime) -> SigningKey:
    if pair.info.key_id != key_id or pair.info.revoked(since):
        return pair
    return pair.with_info(replace(pair.info, revoked_at=since))


key_ring: Port[KeyRing] = Port("key_ring")
