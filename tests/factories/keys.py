"""Key rings for tests: no file, no passphrase."""

from governance.kernel.key_pairs import KeyPair
from governance.kernel.keys import KeyChange, KeyPlan, KeyRing, SigningKey


class MemoryKeyStore:
    """Keys kept in memory for one test."""

    def __init__(self) -> None:
        self._pairs: tuple[SigningKey, ...] = ()

    def load(self) -> tuple[SigningKey, ...]:
        return self._pairs

    def generate(self, plan: KeyPlan) -> KeyPair:
        return KeyPair.generate(plan)

    def update(self, change: KeyChange) -> None:
        self._pairs = change(self._pairs)


def development_ring() -> KeyRing:
    """Return a ring with one fresh development key for every purpose."""
    ring = KeyRing(MemoryKeyStore())
    ring.ensure(development=True)
    return ring
