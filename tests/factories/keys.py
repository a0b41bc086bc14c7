"""Key rings for tests: no file, no passphrase."""

from governance.kernel.keys import KeyChange, KeyPair, KeyRing


class MemoryKeyStore:
    """Keys kept in memory for one test."""

    def __init__(self) -> None:
        self._pairs: tuple[KeyPair, ...] = ()

    def load(self) -> tuple[KeyPair, ...]:
        return self._pairs

    def update(self, change: KeyChange) -> None:
        self._pairs = change(self._pairs)


def development_ring() -> KeyRing:
    """Return a ring with one fresh development key for every purpose."""
    ring = KeyRing(MemoryKeyStore())
    ring.ensure(development=True)
    return ring
