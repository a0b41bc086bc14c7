"""Keys in AWS KMS, which never discloses them: KMS computes every signature, this process verifies it.

A key belongs to the ring through its alias, `alias/<prefix>/<purpose>/<key id>`; its window and its revocation are tags
of the key. So whoever may tag keys and make aliases in that account can end, revoke and revive keys: give the product
itself only kms:Sign, kms:GetPublicKey, kms:ListAliases and kms:ListResourceTags, and let people rotate with more.

KMS takes messages of at most 4,096 bytes (AWS KMS API reference, Sign). For ECDSA on P-256 a longer one is hashed here;
Ed25519 cannot be computed over a hash, so only purposes that require Ed25519 get it. The API is eventually consistent:
another process sees a change after the refresh interval, at the earliest.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import NotRequired, Protocol, TypedDict, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from governance.kernel.canonical import timestamp
from governance.kernel.errors import IntegrityFault, InvalidInput, Unavailable
from governance.keys.pairs import PublicKey, describe, from_der, is_signed_by, key_id_of, public_pem_of
from governance.keys.ring import (
    REQUIRED_ALGORITHM,
    KeyAlgorithm,
    KeyChange,
    KeyPlan,
    KeyPurpose,
    PublicKeyInfo,
    SigningKey,
)

KEY_SPECS = {KeyAlgorithm.ES256: "ECC_NIST_P256", KeyAlgorithm.ED25519: "ECC_NIST_EDWARDS25519"}
MAX_RAW_BYTES = 4096
REFRESH_SECONDS = 15.0
_TAGS = {"not_before": "assent:not-before", "not_after": "assent:not-after", "revoked_at": "assent:revoked-at"}
_NETWORK = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


class KmsFailed(Unavailable):
    """AWS KMS cannot be reached, or refuses a request."""

    code = "kms_failed"


class KmsMessageTooLong(InvalidInput):
    """A message is longer than what KMS signs with Ed25519."""

    code = "kms_message_too_long"


class KmsKeyAltered(IntegrityFault):
    """A key in KMS is not what its alias and its tags say, or a signature does not fit its public key."""

    code = "kms_key_altered"


class _SignAnswer(TypedDict):
    Signature: bytes


class _KeyMetadata(TypedDict):
    KeyId: str


class _CreateKeyAnswer(TypedDict):
    KeyMetadata: _KeyMetadata


class _PublicKeyAnswer(TypedDict):
    PublicKey: bytes


class _Page(TypedDict, total=False):
    Truncated: bool
    NextMarker: str


class _Alias(TypedDict):
    AliasName: str
    TargetKeyId: NotRequired[str]


class _AliasPage(_Page):
    Aliases: list[_Alias]


class _Tag(TypedDict):
    TagKey: str
    TagValue: str


class _TagPage(_Page):
    Tags: list[_Tag]


class KmsClient(Protocol):
    """The operations used of boto3's KMS client, whose classes exist at run time only (AWS KMS API, Actions)."""

    create_alias: Callable[..., object]
    create_key: Callable[..., _CreateKeyAnswer]
    get_public_key: Callable[..., _PublicKeyAnswer]
    list_aliases: Callable[..., _AliasPage]
    list_resource_tags: Callable[..., _TagPage]
    sign: Callable[..., _SignAnswer]
    tag_resource: Callable[..., object]


Answer = TypeVar("Answer")
Page = TypeVar("Page", bound=_Page)


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A key in KMS, by the name that KMS has for it, with its public half."""

    info: PublicKeyInfo
    kms_id: str
    public: PublicKey = field(repr=False)
    client: KmsClient = field(repr=False, compare=False)

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature over `message`, computed by KMS and checked here.

        Raises KmsFailed, KmsKeyAltered, and KmsMessageTooLong for more than MAX_RAW_BYTES under Ed25519.
        """
        value = self._ed25519(message) if self.info.algorithm is KeyAlgorithm.ED25519 else self._es256(message)
        if not self.is_signed(message, value):
            raise KmsKeyAltered(f"KMS answered with a signature that key {self.info.key_id} does not verify.")
        return value

    def is_signed(self, message: bytes, value: bytes) -> bool:
        """Return whether `value` is this key's signature over `message`; KMS is not asked."""
        return is_signed_by(self.public, message, value)

    def with_info(self, info: PublicKeyInfo) -> "KmsKey":
        """Return the same key under another description."""
        return replace(self, info=info)

    def _es256(self, message: bytes) -> bytes:
        fits = len(message) <= MAX_RAW_BYTES
        answer = _ask(
            self.client.sign,
            KeyId=self.kms_id,
            Message=message if fits else sha256(message).digest(),
            MessageType="RAW" if fits else "DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )
        try:
            return from_der(answer["Signature"])
        except (ValueError, OverflowError):
            return b""

    def _ed25519(self, message: bytes) -> bytes:
        if len(message) > MAX_RAW_BYTES:
            limit = f"KMS signs at most {MAX_RAW_BYTES} bytes with Ed25519, not {len(message)}."
            raise KmsMessageTooLong(f"{limit} Use a key with {KeyAlgorithm.ES256} for '{self.info.purpose}'.")
        answer = _ask(
            self.client.sign,
            KeyId=self.kms_id,
            Message=message,
            MessageType="RAW",
            SigningAlgorithm="ED25519_SHA_512",
        )
        return bytes(answer["Signature"])


class KmsKeyStore:
    """The keys under one alias prefix. Safe for several threads; changes elsewhere show after `refresh_seconds`."""

    def __init__(self, client: KmsClient, *, prefix: str, refresh_seconds: float = REFRESH_SECONDS) -> None:
        """Nothing is asked yet. `client` is a KMS client of boto3, see `kms_client`."""
        self._client = client
        self._prefix = f"alias/{prefix}/"
        self._refresh_seconds = refresh_seconds
        self._lock = threading.Lock()
        self._public: dict[str, PublicKey] = {}
        self._keys: tuple[SigningKey, ...] = ()
        self._fresh_until = 0.0

    def load(self) -> tuple[SigningKey, ...]:
        """Return the keys, oldest first. Raises KmsFailed, KmsKeyAltered."""
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                self._keep(self._read())
            return self._keys

    def generate(self, plan: KeyPlan) -> KmsKey:
        """Make a key in KMS: ECDSA on P-256, or what the purpose requires. Raises KmsFailed.

        It joins the ring when `update` gives it its alias; a key without one does no harm.
        """
        if plan.development:
            raise InvalidInput("KMS does not hold development keys.", code="kms_development_key")
        algorithm = REQUIRED_ALGORITHM.get(plan.purpose, KeyAlgorithm.ES256)
        made = _ask(
            self._client.create_key,
            KeyUsage="SIGN_VERIFY",
            KeySpec=KEY_SPECS[algorithm],
            Description=f"Assent signs with it for '{plan.purpose}'",
            Tags=[{"TagKey": _TAGS["not_before"], "TagValue": timestamp(plan.not_before)}],
        )
        kms_id = made["KeyMetadata"]["KeyId"]
        public = self._public_key(kms_id)
        return KmsKey(describe(public, plan=plan, algorithm=algorithm), kms_id, public, self._client)

    def update(self, change: KeyChange) -> None:
        """Store what `change` makes of the present keys: aliases for new ones, tags for new ends. Raises KmsFailed.

        There is no lock in KMS. Two changes at once both count, and a purpose may so get two new keys: the younger
        signs. Keys are never removed.
        """
        with self._lock:
            present = self._read()
            known = {key.info.key_id: key for key in present}
            changed = change(present)
            for key in changed:
                self._store(key, known.get(key.info.key_id))
            self._keep(changed)

    def _keep(self, keys: tuple[SigningKey, ...]) -> None:
        self._keys, self._fresh_until = keys, time.monotonic() + self._refresh_seconds

    def _store(self, key: SigningKey, before: SigningKey | None) -> None:
        if not isinstance(key, KmsKey):
            raise TypeError(f"key {key.info.key_id} is kept elsewhere: KMS does not take it in")
        if before is None:
            name = f"{self._prefix}{key.info.purpose}/{key.info.key_id}"
            _ask(self._client.create_alias, AliasName=name, TargetKeyId=key.kms_id)
        elif before.info != key.info:
            _ask(self._client.tag_resource, KeyId=key.kms_id, Tags=_tags_of(key.info))

    def _read(self) -> tuple[SigningKey, ...]:
        keys = [self._described(name, target) for name, target in self._members()]
        return tuple(sorted(keys, key=lambda key: (key.info.not_before, key.info.key_id)))

    def _members(self) -> Iterator[tuple[str, str]]:
        for page in _pages(self._client.list_aliases):
            for alias in page["Aliases"]:
                if alias["AliasName"].startswith(self._prefix) and "TargetKeyId" in alias:
                    yield alias["AliasName"].removeprefix(self._prefix), alias["TargetKeyId"]

    def _described(self, name: str, kms_id: str) -> KmsKey:
        purpose, _, key_id = name.partition("/")
        public = self._public_key(kms_id)
        tags = {
            tag["TagKey"]: tag["TagValue"]
            for page in _pages(self._client.list_resource_tags, KeyId=kms_id)
            for tag in page["Tags"]
        }
        try:
            info = _info_from(KeyPurpose(purpose), public, tags)
        except (ValueError, LookupError) as error:
            raise KmsKeyAltered(f"The alias {name} or the tags of its key are not as they were made.") from error
        if info.key_id != key_id:
            raise KmsKeyAltered(f"The alias {name} leads to another key, {info.key_id}.")
        return KmsKey(info, kms_id, public, self._client)

    def _public_key(self, kms_id: str) -> PublicKey:
        """Return the public half, which never changes: fetched once."""
        if kms_id not in self._public:
            answer = _ask(self._client.get_public_key, KeyId=kms_id)
            self._public[kms_id] = _loaded(answer["PublicKey"])
        return self._public[kms_id]


def kms_client(*, region: str, endpoint: str = "") -> KmsClient:
    """Return a client for AWS KMS; credentials come from the environment chain of boto3. Opens no connection."""
    client: KmsClient = boto3.client("kms", region_name=region, endpoint_url=endpoint or None, config=_NETWORK)
    return client


def _loaded(spki: bytes) -> PublicKey:
    public = load_der_public_key(spki)
    if isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        return public
    if isinstance(public, Ed25519PublicKey):
        return public
    raise KmsKeyAltered("A key that is neither P-256 nor Ed25519 has an alias of the ring.")


def _info_from(purpose: KeyPurpose, public: PublicKey, tags: dict[str, str]) -> PublicKeyInfo:
    algorithm = KeyAlgorithm.ES256 if isinstance(public, EllipticCurvePublicKey) else KeyAlgorithm.ED25519
    if REQUIRED_ALGORITHM.get(purpose, algorithm) is not algorithm:
        raise ValueError(f"a key for {purpose} does not sign with {algorithm}")
    return PublicKeyInfo(
        key_id=key_id_of(public, development=False),
        algorithm=algorithm,
        purpose=purpose,
        not_before=datetime.fromisoformat(tags[_TAGS["not_before"]]),
        not_after=_moment(tags.get(_TAGS["not_after"])),
        revoked_at=_moment(tags.get(_TAGS["revoked_at"])),
        public_pem=public_pem_of(public),
        development=False,
    )


def _tags_of(info: PublicKeyInfo) -> list[dict[str, str]]:
    moments = {_TAGS[name]: getattr(info, name) for name in _TAGS}
    return [{"TagKey": name, "TagValue": timestamp(moment)} for name, moment in moments.items() if moment]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _pages(operation: Callable[..., Page], **request: object) -> Iterator[Page]:
    page = _ask(operation, **request)
    yield page
    while page.get("Truncated"):
        page = _ask(operation, **request, Marker=page["NextMarker"])
        yield page


def _ask(operation: Callable[..., Answer], **request: object) -> Answer:
    try:
        return operation(**request)
    except ClientError as error:
        reason = error.response.get("Error", {})
        about = {"operation": error.operation_name, "aws_code": reason.get("Code", "")}
        message = f"AWS KMS refused {error.operation_name}: {reason.get('Code')} {reason.get('Message', '')}"
        raise KmsFailed(message.strip(), details=about) from error
    except BotoCoreError as error:
        raise KmsFailed(f"AWS KMS does not answer: {error}") from error
