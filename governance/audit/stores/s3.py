"""A WORM store in a bucket with S3 Object Lock, where the store itself refuses to delete or change objects.

Objects are read by version only. A key has one content: it is written on condition that the key is free
(`If-None-Match: *`), and the oldest version is the content. Later versions and delete markers do not replace it, and
are reported. In compliance mode nobody can shorten a retention, not even the owner of the account; in governance mode
everybody with s3:BypassGovernanceRetention can.
"""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from governance.audit.errors import (
    HoldActive,
    RetentionActive,
    WormOverwriteRefused,
    WormRetentionInvalid,
    WormStoreRefused,
    WormUnavailable,
)
from governance.audit.stores.preconditions import check_future, check_key
from governance.audit.stores.probe import probe_bucket
from governance.audit.stores.s3_bucket import DIGEST, STORED_AT, UNLOCKED, S3Bucket, S3Refused, Version
from governance.audit.types import ListedCondition, ListedObject, ProbeFinding, WormObject
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex, timestamp

#: A refused store is probed again after this many seconds, since it may have been corrected.
RETRIED_AFTER = 60.0
#: A key that is never stored: looking it up shows whether the store answers.
_NOTHING = "ready/none"


class S3WormStore:
    """The WormStore port over a bucket; `mode` is "compliance" or "governance". Safe for threads and processes."""

    def __init__(self, *, bucket: S3Bucket, mode: str) -> None:
        self._bucket = bucket
        self._mode = mode
        self._probing = threading.Lock()
        self._proven = False
        self._refusal: tuple[float, WormStoreRefused] | None = None

    def put(self, *, key: str, data: bytes, retain_until: datetime) -> WormObject:
        """Store `data` under `key`; see WormStore.put. The lock is read back every time."""
        check_key(key)
        check_future(retain_until, clock.now())
        self._prove()
        until, digest = _whole_second(retain_until), sha256_hex(data)
        self._create(key, data, digest, until)
        found = self.find(key=key)
        if found is None:
            raise WormUnavailable(f"{self._bucket.uri_prefix}{key} was taken and is missing.")
        if found.sha256 != digest:
            raise WormOverwriteRefused(f"Other bytes are stored for ever as {key}.", details={"key": key})
        return found if _is_kept(found, until) else self._extended(found, until)

    def get(self, *, uri: str, version_id: str) -> bytes:
        """Return the bytes after rehashing them; see WormStore.get."""
        return self._verified(uri, version_id)[1]

    def head(self, *, uri: str, version_id: str) -> WormObject:
        """Return what the store knows of the version; see WormStore.head."""
        return self._bucket.head(self._bucket.key_of(uri), version_id)

    def verify(self, *, uri: str, version_id: str) -> WormObject:
        """Read and rehash the bytes; see WormStore.verify."""
        return self._verified(uri, version_id)[0]

    def find(self, *, key: str) -> WormObject | None:
        """Return the oldest version of a key; see WormStore.find.

        A later version with the same bytes, which a retried write can leave on a store without conditional writes, is
        not an alteration.
        """
        check_key(key)
        versions = self._bucket.versions_of(key)
        written = [each for each in versions if not each.deleted]
        if not written:
            return None
        first = self._bucket.head(key, written[-1].version_id)
        details = {"version_id": first.version_id, "versions": len(versions)}
        if len(written) < len(versions):
            raise self._bucket.altered(key, "somebody tried to delete it", **details)
        for later in written[:-1]:
            if self._bucket.head(key, later.version_id).sha256 != first.sha256:
                raise self._bucket.altered(key, "somebody put other bytes over it", **details)
        return first

    def listing(self, *, prefix: str = "") -> Iterator[ListedObject]:
        """Yield all versions and the markers of deletions; see WormStore.listing."""
        return (self._listed(each) for each in self._bucket.versions(prefix))

    def extend(self, *, uri: str, version_id: str, retain_until: datetime) -> WormObject:
        """Move the retention of a version; see WormStore.extend."""
        check_future(retain_until, clock.now())
        until, current = _whole_second(retain_until), self.head(uri=uri, version_id=version_id)
        if current.mode != UNLOCKED and until < current.retain_until:
            kept = timestamp(current.retain_until)
            raise WormRetentionInvalid(f"{current.key} is kept until {kept}; that can only be extended.")
        return current if _is_kept(current, until) else self._extended(current, until)

    def hold(self, *, uri: str, version_id: str) -> WormObject:
        """Put a version under legal hold; see WormStore.hold."""
        return self._set_hold(uri, version_id, held=True)

    def release_hold(self, *, uri: str, version_id: str) -> WormObject:
        """Lift the legal hold of a version; see WormStore.release_hold."""
        return self._set_hold(uri, version_id, held=False)

    def delete(self, *, uri: str, version_id: str) -> None:
        """Delete a version whose retention has ended; see WormStore.delete. The store judges by its own clock too."""
        known = self.head(uri=uri, version_id=version_id)
        until = timestamp(known.retain_until)
        if known.held:
            raise HoldActive(f"{known.key} is under legal hold.", details={"key": known.key})
        if known.mode != UNLOCKED and clock.now() < known.retain_until:
            raise RetentionActive(
                f"{known.key} is kept until {until}.", details={"key": known.key, "retain_until": until}
            )
        try:
            self._bucket.call("delete_object", key=known.key, VersionId=version_id)
        except S3Refused as error:
            raise self._bucket.unavailable(f"delete {known.key}", error) from error

    def probe(self) -> tuple[ProbeFinding, ...]:
        """Try to break every promise on short-lived objects; see WormStore.probe."""
        return probe_bucket(bucket=self._bucket, mode=self._mode)

    def ready(self) -> None:
        """Probe the store unless this process has, and check that it answers now; see WormStore.ready."""
        self._prove()
        self._bucket.versions_of(_NOTHING)

    def _prove(self) -> None:
        """Probe the store once per process. A refused store is probed again after a minute."""
        with self._probing:
            if self._proven:
                return
            if self._refusal and time.monotonic() < self._refusal[0] + RETRIED_AFTER:
                raise self._refusal[1]
            allowed = [_described(each) for each in self.probe() if not each.refused]
            if allowed:
                refusal = WormStoreRefused(
                    f"The WORM store {self._bucket.uri_prefix} does not keep what it must. "
                    f"It allowed: {'; '.join(allowed)}.",
                    details={"allowed": allowed},
                )
                self._refusal = time.monotonic(), refusal
                raise refusal
            self._proven = True

    def _create(self, key: str, data: bytes, digest: str, until: datetime) -> None:
        """Write the first version; an existing one, such as from a retry of this call, is left unchanged."""
        try:
            self._bucket.create(
                key,
                data,
                Metadata={DIGEST: digest, STORED_AT: timestamp(clock.now())},
                ObjectLockMode=self._mode.upper(),
                ObjectLockRetainUntilDate=until,
            )
        except S3Refused as error:
            if not error.taken:
                raise self._bucket.unavailable(f"store {key}", error) from error

    def _extended(self, known: WormObject, until: datetime) -> WormObject:
        mode = self._mode if known.mode == UNLOCKED else known.mode
        retention = {"Mode": mode.upper(), "RetainUntilDate": until}
        try:
            self._bucket.call("put_object_retention", key=known.key, VersionId=known.version_id, Retention=retention)
        except S3Refused as error:
            raise self._bucket.unavailable(f"keep {known.key} for longer", error) from error
        changed = self._bucket.head(known.key, known.version_id)
        if not _is_kept(changed, until):
            raise WormUnavailable(
                f"The WORM store {self._bucket.uri_prefix} keeps {known.key} until {timestamp(changed.retain_until)} "
                f"({changed.mode}), not until {timestamp(until)} ({mode}) as requested."
            )
        return changed

    def _set_hold(self, uri: str, version_id: str, *, held: bool) -> WormObject:
        known = self.head(uri=uri, version_id=version_id)
        if known.held == held:
            return known
        wanted = "ON" if held else "OFF"
        try:
            self._bucket.call(
                "put_object_legal_hold", key=known.key, VersionId=version_id, LegalHold={"Status": wanted}
            )
        except S3Refused as error:
            raise self._bucket.unavailable(f"set the legal hold of {known.key}", error) from error
        changed = self.head(uri=uri, version_id=version_id)
        if changed.held != held:
            raise WormUnavailable(f"The WORM store {self._bucket.uri_prefix} did not set the hold of {known.key}.")
        return changed

    def _verified(self, uri: str, version_id: str) -> tuple[WormObject, bytes]:
        known = self.head(uri=uri, version_id=version_id)
        data = self._bucket.read(known.key, version_id)
        if len(data) != known.size or sha256_hex(data) != known.sha256:
            raise self._bucket.altered(known.key, "its bytes differ from those that were stored")
        return known, data

    def _listed(self, version: Version) -> ListedObject:
        return ListedObject(
            key=version.key,
            uri=self._bucket.uri_prefix + version.key,
            version_id=version.version_id,
            size=version.size,
            stored_at=version.stored_at,
            condition=ListedCondition.DELETED if version.deleted else ListedCondition.SOUND,
        )


def _is_kept(known: WormObject, until: datetime) -> bool:
    return known.mode != UNLOCKED and known.retain_until >= until


def _whole_second(moment: datetime) -> datetime:
    """Return `moment` rounded up: stores have different precision, and no date may be early."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=0) + timedelta(seconds=bool(moment.microsecond))


def _described(finding: ProbeFinding) -> str:
    return f"{finding.attempt} ({finding.detail})" if finding.detail else finding.attempt
