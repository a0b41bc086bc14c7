"""Probes whether a bucket keeps its promises: one attempt for each, on short-lived objects.

A bucket without Object Lock, or a server that only imitates the API, accepts every parameter and enforces nothing. So
every promise is tested.
"""

import base64
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from governance.audit.errors import WormObjectAltered, WormObjectMissing
from governance.audit.stores.s3_bucket import S3Bucket, S3Refused
from governance.audit.types import Exchange, ProbeFinding
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex
from governance.kernel.ids import new_id

logger = logging.getLogger(__name__)

FOLDER = "probe/"
#: Longer than the attempts take and than clocks differ.
KEPT_FOR = timedelta(minutes=10)
DATA = b"Assent writes this to see whether it can be removed.\n"
OTHER = b"Assent writes this to see whether it replaces what was there.\n"
#: All that a probe ever writes.
CONTENTS = (DATA, OTHER)
COMPLIANCE = "compliance"

#: Refusals that say nothing about the bytes.
_NOT_PERMITTED = {"AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", "MethodNotAllowed", "NotImplemented"}

#: An attempt: returns None when the store refused it, else what the store did.
_Attempt = Callable[["_Probe"], str | None]


class _Probe:
    """The attempts on one bucket; each on its own object, since a lax store may remove it."""

    def __init__(self, bucket: S3Bucket, mode: str) -> None:
        self.exchanges: list[Exchange] = []
        self.bucket = bucket.noted_by(self.exchanges.append)
        self.mode = mode
        self.until: datetime = (clock.now() + KEPT_FOR).replace(microsecond=0)
        self._folder = f"{FOLDER}{new_id()}/"
        self._made = 0

    def locked_object(self) -> tuple[str, str]:
        """Write an object under the lock; return its key and version."""
        key = self.new_key()
        return key, self.bucket.write(key, DATA, **self.lock())

    def lock(self) -> dict[str, object]:
        """Return the parameters that lock an object as it is written."""
        return {"ObjectLockMode": self.mode.upper(), "ObjectLockRetainUntilDate": self.until}

    def new_key(self) -> str:
        self._made += 1
        return f"{self._folder}{self._made}"

    def accepted(self, operation: str, key: str, version_id: str, **given: object) -> bool:
        """Return whether the store carried out a call that it should refuse."""
        try:
            self.bucket.call(operation, key=key, VersionId=version_id, **given)
        except S3Refused:
            return False
        return True


def probe_bucket(*, bucket: S3Bucket, mode: str) -> tuple[ProbeFinding, ...]:
    """Make every attempt and return how each ended. Raises WormUnavailable where the store does not answer."""
    _clear(bucket)
    return tuple(_findings(_Probe(bucket, mode)))


def _findings(probe: _Probe) -> Iterator[ProbeFinding]:
    """Probe the bucket itself first: if it cannot lock, all other attempts would fail the same way."""
    bucket = [_tried(probe, name, attempt) for name, attempt in _ON_THE_BUCKET.items()]
    yield from bucket
    if all(each.refused for each in bucket):
        attempts = {**_ON_OBJECTS, **(_IN_COMPLIANCE if probe.mode == COMPLIANCE else {})}
        yield from (_tried(probe, name, attempt) for name, attempt in attempts.items())


def _tried(probe: _Probe, name: str, attempt: _Attempt) -> ProbeFinding:
    probe.exchanges.clear()
    try:
        allowed = attempt(probe)
    except (S3Refused, WormObjectMissing, WormObjectAltered) as error:
        allowed = f"this could not be tried: {error}"
    return ProbeFinding(name, refused=allowed is None, detail=allowed or "", exchanges=tuple(probe.exchanges))


def _clear(bucket: S3Bucket) -> None:
    """Remove objects of earlier probes whose lock has ended."""
    before = clock.now() - KEPT_FOR
    for old in list(bucket.versions(FOLDER)):
        if old.stored_at < before:
            try:
                bucket.call("delete_object", key=old.key, VersionId=old.version_id)
            except S3Refused as error:
                logger.info("An object of an earlier probe stays: %s (%s)", old.key, error)


def _bucket_without_lock(probe: _Probe) -> str | None:
    try:
        answer = probe.bucket.call("get_object_lock_configuration")
    except S3Refused as error:
        return error.code
    enabled = answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"
    return None if enabled else "it is not enabled"


def _without_versions(probe: _Probe) -> str | None:
    status = probe.bucket.call("get_bucket_versioning").get("Status", "never enabled")
    return None if status == "Enabled" else str(status)


def _forgets_the_lock(probe: _Probe) -> str | None:
    known = probe.bucket.head(*probe.locked_object())
    if known.mode != probe.mode or known.retain_until < probe.until:
        return f"mode {known.mode}, until {known.retain_until:%Y-%m-%dT%H:%M:%SZ}"
    return None if known.sha256 == sha256_hex(DATA) else "it does not keep the checksum"


def _damaged_upload(probe: _Probe) -> str | None:
    """Write as the store always writes, with the checksum of other bytes."""
    wrong = base64.b64encode(bytes.fromhex(sha256_hex(OTHER))).decode()
    try:
        probe.bucket.create(probe.new_key(), DATA, ChecksumSHA256=wrong, **probe.lock())
    except S3Refused as error:
        return None if error.code not in _NOT_PERMITTED else f"it does not permit the write at all: {error}"
    return "it took bytes that are not those of their checksum"


def _overwrite(probe: _Probe) -> str | None:
    """Put a second version behind the first, which any S3 store allows, and read the first by its version."""
    key, version = probe.locked_object()
    second = probe.bucket.write(key, OTHER)
    intact = probe.bucket.read(key, version) == DATA
    probe.accepted("delete_object", key, second)
    return None if intact else "the first version has other bytes now"


def _overwrite_on_condition(probe: _Probe) -> str | None:
    key, _ = probe.locked_object()
    try:
        probe.bucket.create(key, OTHER)
    except S3Refused as error:
        return None if error.taken else f"it does not know conditional writes: {error}"
    return "a write with If-None-Match: * made a second version"


def _delete(probe: _Probe) -> str | None:
    gone = probe.accepted("delete_object", *probe.locked_object())
    return "the version is gone" if gone else None


def _delete_with_bypass(probe: _Probe) -> str | None:
    gone = probe.accepted("delete_object", *probe.locked_object(), BypassGovernanceRetention=True)
    return "the version is gone" if gone else None


def _shorten(probe: _Probe) -> str | None:
    earlier = {"Mode": probe.mode.upper(), "RetainUntilDate": probe.until - KEPT_FOR / 2}
    return _changed_retention(probe, earlier)


def _shorten_with_bypass(probe: _Probe) -> str | None:
    earlier = {"Mode": probe.mode.upper(), "RetainUntilDate": probe.until - KEPT_FOR / 2}
    return _changed_retention(probe, earlier, BypassGovernanceRetention=True)


def _downgrade(probe: _Probe) -> str | None:
    return _changed_retention(probe, {"Mode": "GOVERNANCE", "RetainUntilDate": probe.until})


def _remove_retention(probe: _Probe) -> str | None:
    return _changed_retention(probe, {})


def _changed_retention(probe: _Probe, retention: dict[str, object], **given: object) -> str | None:
    """Try to change a retention; the retention read back afterwards counts, not the answer."""
    key, version = probe.locked_object()
    probe.accepted("put_object_retention", key, version, Retention=retention, **given)
    known = probe.bucket.head(key, version)
    if known.mode == probe.mode and known.retain_until >= probe.until:
        return None
    return f"mode {known.mode}, until {known.retain_until:%Y-%m-%dT%H:%M:%SZ}"


def _delete_under_hold(probe: _Probe) -> str | None:
    key = probe.new_key()
    version = probe.bucket.write(key, DATA)
    probe.bucket.call("put_object_legal_hold", key=key, VersionId=version, LegalHold={"Status": "ON"})
    if probe.accepted("delete_object", key, version, BypassGovernanceRetention=probe.mode == COMPLIANCE):
        return "the version is gone"
    probe.bucket.call("put_object_legal_hold", key=key, VersionId=version, LegalHold={"Status": "OFF"})
    probe.bucket.call("delete_object", key=key, VersionId=version)
    return None


_ON_THE_BUCKET: dict[str, _Attempt] = {
    "using a bucket without Object Lock": _bucket_without_lock,
    "using a bucket without versions": _without_versions,
}
_ON_OBJECTS: dict[str, _Attempt] = {
    "storing an object without its lock": _forgets_the_lock,
    "storing damaged bytes": _damaged_upload,
    "overwriting a locked version": _overwrite,
    "storing a second content under one key": _overwrite_on_condition,
    "deleting a locked version": _delete,
    "shortening a retention": _shorten,
    "removing a retention": _remove_retention,
    "deleting a version under legal hold": _delete_under_hold,
}
#: In governance mode these are for whoever has the permission.
_IN_COMPLIANCE: dict[str, _Attempt] = {
    "deleting a locked version with the governance bypass": _delete_with_bypass,
    "shortening a retention with the governance bypass": _shorten_with_bypass,
    "downgrading compliance to governance": _downgrade,
}
