"""One bucket with S3 Object Lock (Amazon S3 API): the calls of the WORM store and their answers.

An object's bytes belong to a version: a DELETE without a version only adds a delete marker, and a PUT adds a version,
whether locked or not. So every call names the version, except the listing of a key's versions.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, TypeAlias

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

from governance.audit.errors import WormKeyInvalid, WormObjectAltered, WormObjectMissing, WormUnavailable
from governance.audit.stores.preconditions import check_key
from governance.audit.stores.s3_exchanges import answer_text, sent_text
from governance.audit.types import Exchange, WormObject

#: A boto3 client: its methods are generated from the service's description and have no types.
Client: TypeAlias = Any
#: What a call answers with, by the names of the S3 API; each reader takes what it needs as its type.
Answer: TypeAlias = Mapping[str, Any]
UNLOCKED = "unlocked"
#: Metadata of the object.
DIGEST, STORED_AT = "sha256", "stored-at"
_MISSING = {"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket"}
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}


class S3Refused(Exception):
    """The store answered a call with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code

    @property
    def missing(self) -> bool:
        return self.code in _MISSING

    @property
    def taken(self) -> bool:
        """Whether a conditional write found something there already (RFC 9110 section 13.1.2)."""
        return self.code in _TAKEN


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a key, or a delete marker, as a listing returns it."""

    key: str
    version_id: str
    size: int
    stored_at: datetime
    deleted: bool


def connect(*, region: str, endpoint: str, ca: str) -> Client:
    """Return a client with credentials from boto3's chain (environment, profile, role of the machine).

    Credentials are looked up for each client. `endpoint` is empty for Amazon S3 itself; `ca` is a file of certificates
    to trust instead of the usual ones.
    """
    return boto3.session.Session().client(
        "s3",
        region_name=region,
        endpoint_url=endpoint or None,
        verify=ca or None,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint else "auto"},
            retries={"mode": "standard", "max_attempts": 4},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=32,
        ),
    )


class S3Bucket:
    """A bucket and a prefix in it. Keys are those of the WORM store, without the prefix. Safe for threads."""

    def __init__(
        self, *, client: Client, name: str, prefix: str = "", note: Callable[[Exchange], None] | None = None
    ) -> None:
        """`note` is told of every call and its answer."""
        self._client = client
        self._note = note
        self.name = name
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.uri_prefix = f"s3://{name}/{self.prefix}"

    def noted_by(self, note: Callable[[Exchange], None]) -> "S3Bucket":
        """Return the same bucket, whose every call is told to `note`."""
        return S3Bucket(client=self._client, name=self.name, prefix=self.prefix, note=note)

    def key_of(self, uri: str) -> str:
        """Return the key in a URI of this store. Raises WormKeyInvalid."""
        if not uri.startswith(self.uri_prefix):
            raise WormKeyInvalid(f"{uri[:80]!r} does not start with {self.uri_prefix}.")
        key = uri.removeprefix(self.uri_prefix)
        check_key(key)
        return key

    def call(self, operation: str, *, key: str | None = None, **given: Any) -> Answer:
        """Make one call. Raises S3Refused when the store refuses it, WormUnavailable when it cannot answer it."""
        place = {"Bucket": self.name} | ({} if key is None else {"Key": self.prefix + key})
        sent = sent_text(operation, key, given)
        try:
            answer: Answer = getattr(self._client, operation)(**place, **given)
        except ClientError as error:
            self._noted(sent, error.response)
            fields = error.response.get("Error", {})
            refused = S3Refused(str(fields.get("Code", "")), str(fields.get("Message", "")))
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) >= 500:
                raise self.unavailable(operation.replace("_", " "), refused) from error
            raise refused from error
        except BotoCoreError as error:
            raise WormUnavailable(f"The WORM store {self.uri_prefix} does not answer: {error}") from error
        self._noted(sent, answer)
        return answer

    def create(self, key: str, data: bytes, **lock: object) -> str:
        """Write a version unless the key has one; return its id. Raises S3Refused, `taken` if it has."""
        return self.write(key, data, IfNoneMatch="*", **lock)

    def write(self, key: str, data: bytes, **given: object) -> str:
        """Write a version unconditionally and return its id. Raises S3Refused.

        The checksum is sent with the name of its algorithm: Ceph RGW checks none without that. It is a header, not a
        trailer, over TLS too, so that what the probe tries is what every write does.
        """
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        checked = {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": digest, **given}
        answer = self.call("put_object", key=key, Body=data, **checked)
        return str(answer.get("VersionId", ""))

    def head(self, key: str, version_id: str) -> WormObject:
        """Return what the store knows of a version. Raises WormObjectMissing, WormObjectAltered, WormUnavailable."""
        with_checksum = {"VersionId": version_id, "ChecksumMode": "ENABLED"}
        answer = self._found(key, "head_object", with_checksum)
        mode = str(answer.get("ObjectLockMode", "")).lower()
        return WormObject(
            key=key,
            uri=self.uri_prefix + key,
            version_id=version_id,
            sha256=self._digest(key, answer),
            size=int(answer["ContentLength"]),
            retain_until=answer["ObjectLockRetainUntilDate" if mode else "LastModified"].astimezone(UTC),
            mode=mode or UNLOCKED,
            stored_at=_stored_at(answer),
            held=answer.get("ObjectLockLegalHoldStatus") == "ON",
        )

    def read(self, key: str, version_id: str) -> bytes:
        """Return the bytes of a version. Raises as `head`."""
        answer = self._found(key, "get_object", {"VersionId": version_id})
        try:
            data: bytes = answer["Body"].read()
        except FlexibleChecksumError as error:
            raise self.altered(key, "its bytes do not match its checksum") from error
        except BotoCoreError as error:
            raise WormUnavailable(f"The WORM store {self.uri_prefix} broke off: {error}") from error
        return data

    def versions_of(self, key: str) -> list[Version]:
        """Return the versions and markers of one key, newest first. Raises WormUnavailable."""
        return list(takewhile(lambda each: each.key == key, self.versions(key)))

    def versions(self, prefix: str = "") -> Iterator[Version]:
        """Yield versions and markers of all keys with a prefix, by key; of each, versions newest first, then markers.

        Raises WormUnavailable.
        """
        position: dict[str, str] = {}
        while True:
            page = self._asked("list_object_versions", Prefix=self.prefix + prefix, **position)
            yield from sorted(self._entries(page), key=lambda each: each.key)
            if not page.get("IsTruncated"):
                return
            position = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def altered(self, key: str, reason: str, **details: object) -> WormObjectAltered:
        """Return the error for an altered object."""
        return WormObjectAltered(f"{self.uri_prefix}{key} was altered: {reason}.", details={"key": key, **details})

    def unavailable(self, doing: str, error: S3Refused) -> WormUnavailable:
        """Return the error for a call that the store should have carried out."""
        return WormUnavailable(f"The WORM store {self.uri_prefix} refused to {doing}: {error}")

    def _noted(self, sent: str, answer: Answer) -> None:
        if self._note is not None:
            self._note(Exchange(sent, answer_text(answer)))

    def _asked(self, operation: str, **given: Any) -> Answer:
        try:
            return self.call(operation, **given)
        except S3Refused as error:
            raise self.unavailable(operation.replace("_", " "), error) from error

    def _found(self, key: str, operation: str, given: Mapping[str, Any]) -> Answer:
        try:
            return self.call(operation, key=key, **given)
        except S3Refused as error:
            if not error.missing:
                raise self.unavailable(f"read {key}", error) from error
            raise WormObjectMissing(
                f"{self.uri_prefix}{key} is missing in version {given['VersionId']}.", details={"key": key}
            ) from error

    def _entries(self, page: Answer) -> Iterator[Version]:
        for deleted, name in ((False, "Versions"), (True, "DeleteMarkers")):
            for entry in page.get(name, ()):
                yield Version(
                    key=entry["Key"].removeprefix(self.prefix),
                    version_id=entry["VersionId"],
                    size=entry.get("Size", 0),
                    stored_at=entry["LastModified"].astimezone(UTC),
                    deleted=deleted,
                )

    def _digest(self, key: str, answer: Answer) -> str:
        """Return the SHA-256 that the store checked on writing; empty for objects that Assent did not write.

        A checksum of several parts ends with their number; it is not one of the bytes.
        """
        checksum = answer.get("ChecksumSHA256", "")
        noted = str(answer.get("Metadata", {}).get(DIGEST, ""))
        digest = base64.b64decode(checksum).hex() if checksum and "-" not in checksum else noted
        if noted and noted != digest:
            raise self.altered(key, "its checksum differs from the stored one")
        return digest


def _stored_at(answer: Answer) -> datetime:
    """Return when a version was stored: from our metadata, because some servers change their own date with the lock."""
    try:
        return datetime.fromisoformat(answer.get("Metadata", {})[STORED_AT]).astimezone(UTC)
    except (KeyError, ValueError):
        modified: datetime = answer["LastModified"]
        return modified.astimezone(UTC)
