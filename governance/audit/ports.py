"""The WORM store as the audit area sees it: write once, read many."""

from datetime import datetime
from typing import Protocol

from governance.audit.types import WormObject
from governance.kernel.ports import Port


class WormStore(Protocol):
    """Objects that nobody changes, and nobody deletes before their time. All times are aware."""

    def put(self, *, key: str, data: bytes, retain_until: datetime) -> WormObject:
        """Store `data` under `key` until `retain_until`, durable when this returns.

        The same bytes again give the same object, its retention extended if the new date is later. Raises
        WormKeyInvalid, WormRetentionInvalid, WormOverwriteRefused (other bytes), WormClockFault, WormUnavailable.
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

    def delete(self, *, uri: str, version_id: str) -> None:
        """Delete an object whose retention has ended. Raises RetentionActive before, else as `get` and `put`."""
        ...


worm_store: Port[WormStore] = Port("worm_store")
