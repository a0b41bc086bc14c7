"""Key rings for tests: no file, no passphrase."""

from datetime import datetime

from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.keys.pairs import KeyPair
from governance.keys.ring import KeyChange, KeyPlan, KeyRing, SigningKey


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


def development_ring(*, since: datetime | None = None) -> KeyRing:
    """Return a ring with one fresh development key for every purpose, valid since now or since `since`."""
    ring = KeyRing(MemoryKeyStore())
    with clock.using(ManualClock(since or clock.now())):
        ring.ensure(development=True)
    return ring
