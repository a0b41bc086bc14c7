"""Ports: places where the adapter of an interface is bound.

An area declares a `Port` beside its Protocol; only `governance/config/wiring.py` binds it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Generic, TypeVar

from governance.kernel.errors import Unavailable

T = TypeVar("T")


class PortUnbound(Unavailable):
    """A port was used before an adapter was bound to it."""

    code = "port_unbound"


class Port(Generic[T]):
    """A place for one adapter, which is built on first use and kept for the life of the process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._factory: Callable[[], T] | None = None
        self._adapters: list[T] = []
        self._lock = RLock()

    def bind(self, factory: Callable[[], T]) -> None:
        """Set how the adapter is built, and forget one that was built before."""
        with self._lock:
            self._factory = factory
            self._adapters.clear()

    def get(self) -> T:
        """Return the adapter. Raises PortUnbound when none was bound."""
        with self._lock:
            if not self._adapters:
                if self._factory is None:
                    raise PortUnbound(f"No adapter is bound to the port '{self.name}'.")
                self._adapters.append(self._factory())
            return self._adapters[-1]

    def reset(self) -> None:
        """Forget the built adapter; the next `get` builds a new one."""
        with self._lock:
            self._adapters.clear()

    @contextmanager
    def override(self, adapter: T) -> Iterator[T]:
        """Use `adapter` inside the block; for tests."""
        with self._lock:
            self._adapters.append(adapter)
        try:
            yield adapter
        finally:
            with self._lock:
                self._adapters.remove(adapter)
