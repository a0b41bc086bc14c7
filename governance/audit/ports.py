"""The WORM store as the audit area sees it: write once, read many."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from governance.audit.types import ListedObject, ProbeFinding, WormObject
from governance.kernel.ports import Port


class WormStore(Protocol):
    """Objects that cannot be changed, nor deleted before their retention ends. All times are aware."""

    def put(self, *, key: str, data: bytes, retain_until: datetime) -> WormObject:
        """Store `data` under `key` until `retain_until`, durable when this returns.

        The same bytes again give the same object, its retention extended if the new date is later. Raises
        WormKeyInvalid, WormRetentionInvalid, WormOverwriteRefused (other bytes), WormClockFault, WormUnavailable.
        """
        ...

    def find(self, *, key: str) -> WormObject | None:
        """Return the object first stored under `key`, without reading it, or None.

        The only lookup by key: everything else names the version. Raises WormKeyInvalid, WormUnavailable, and
        WormObjectAltered if the key has any other version.
        """
        ...

    def listing(self, *, prefix: str = "") -> Iterator[ListedObject]:
        """Yield every version of every key that starts with `prefix`, in no particular order, without reading any.

        Raises WormUnavailable.
        """
        ...

    def get(self, *, uri: str, version_id: str) -> bytes:
        """Return the bytes, rehashed. Raises WormKeyInvalid, WormObjectMissing, WormObjectAltered, WormUnavailable."""
        ...

    def head(self, *, uri: str, version_id: str) -> WormObject:
        """Return what the store knows of the object, without reading it. Raises as `get`."""
        ...

    def verify(self, *, uri: str, version_id: str) -> WormObject:
        """Rehash the stored bytes and return what the store knows of them. Raises as `get`."""
        ...

    def extend(self, *, uri: str, version_id: str, retain_until: datetime) -> WormObject:
        """Keep the object until `retain_until`. Raises WormRetentionInvalid for an earlier date, else as `get`."""
        ...

    def hold(self, *, uri: str, version_id: str) -> WormObject:
        """Put the object under legal hold. Idempotent. Raises as `get`."""
        ...

    def release_hold(self, *, uri: str, version_id: str) -> WormObject:
        """Release the legal hold; the retention stays. Idempotent. Raises as `get`."""
        ...

    def delete(self, *, uri: str, version_id: str) -> None:
        """Delete an object whose retention has ended.

        Raises RetentionActive while retained, HoldActive under a legal hold, else as `get` and `put`.
        """
        ...

    def probe(self) -> tuple[ProbeFinding, ...]:
        """Try to break the store's promise on objects made for it; return each attempt. Raises WormUnavailable."""
        ...

    def ready(self) -> None:
        """Raise WormStoreRefused when the store does not keep what it must, WormUnavailable when it does not work.

        The first `put` of a process calls this itself.
        """
        ...


worm_store: Port[WormStore] = Port("worm_store")
