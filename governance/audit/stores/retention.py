"""The metadata of a filesystem WORM store: which bytes an object holds, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from governance.audit.errors import WormKeyInvalid
from governance.audit.stores.preconditions import check_key
from governance.audit.types import ListedCondition, ListedObject, WormObject
from governance.kernel.canonical import canonical_json, sha256_hex
from governance.kernel.json_reading import read_json_object

MODE = "filesystem"
URI_PREFIX = "worm+file:"


@dataclass(frozen=True, slots=True)
class Retention:
    """One entry: the object's key, version, digest and size in bytes, and its retention at the time of writing."""

    key: str
    version_id: str
    sha256: str
    size: int
    retain_until: datetime
    mode: str
    stored_at: datetime

    def to_bytes(self) -> bytes:
        return canonical_json(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Retention":
        """Read an entry back. Raises ValueError, KeyError or TypeError when it is malformed."""
        fields: dict[str, Any] = read_json_object(data)
        moments = {name: datetime.fromisoformat(fields[name]) for name in ("retain_until", "stored_at")}
        if not all(moment.tzinfo for moment in moments.values()):
            raise ValueError("a time without a time zone")
        return cls(**(fields | moments))

    def same_bytes(self, other: "Retention") -> bool:
        """Return whether both entries are about the same object with the same content."""
        mine = (self.key, self.version_id, self.sha256, self.size)
        return mine == (other.key, other.version_id, other.sha256, other.size)

    def to_object(self, *, held: bool = False) -> WormObject:
        return WormObject(
            key=self.key,
            uri=URI_PREFIX + self.key,
            version_id=self.version_id,
            sha256=self.sha256,
            size=self.size,
            retain_until=self.retain_until,
            mode=self.mode,
            stored_at=self.stored_at,
            held=held,
        )


def listed(key: str, retention: Retention | None) -> ListedObject:
    """Return what a listing says of a key; None means that nothing written down about it can be believed."""
    uri = URI_PREFIX + key
    if retention is None:
        never = datetime.min.replace(tzinfo=UTC)
        return ListedObject(key=key, uri=uri, version_id="", size=0, stored_at=never, condition=ListedCondition.DAMAGED)
    return ListedObject(
        key=key, uri=uri, version_id=retention.version_id, size=retention.size, stored_at=retention.stored_at
    )


def contradiction(key: str, history: Sequence[Retention]) -> str | None:
    """Return what is wrong with the entries on `key`, oldest first, or None: same bytes, retention only extended."""
    for earlier, later in pairwise(history):
        if not earlier.same_bytes(later) or earlier.retain_until >= later.retain_until:
            return "the entries on its retention contradict each other"
    if history and (history[0].key, history[0].version_id) != (key, version_of(history[0].sha256)):
        return "its metadata belongs to another object"
    return None


def retention_of(key: str, data: bytes, retain_until: datetime, now: datetime) -> Retention:
    """Return the first entry on an object that is stored `now`."""
    digest = sha256_hex(data)
    return Retention(key, version_of(digest), digest, len(data), retain_until, MODE, now)


def version_of(sha256: str) -> str:
    """Return the version id of an object: a key has one content, so its digest identifies the version."""
    return f"sha256-{sha256[:32]}"


def key_of(uri: str) -> str:
    """Return the key in a URI of this store. Raises WormKeyInvalid."""
    if not uri.startswith(URI_PREFIX):
        raise WormKeyInvalid(f"{uri[:80]!r} does not start with {URI_PREFIX}.")
    key = uri.removeprefix(URI_PREFIX)
    check_key(key)
    return key
