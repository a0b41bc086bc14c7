"""Adapters that are chosen by name: model runtimes, moderators, obligation handlers, WORM stores, engines.

A table names each adapter and where it is; it is imported when it is first asked for, so that a web process can list
the model runtimes without loading PyTorch. An unknown name is refused with the names that are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Generic, TypeVar, cast

from governance.kernel.errors import InvalidInput

T = TypeVar("T")


class AdapterUnknown(InvalidInput):
    """No adapter has this name."""

    code = "adapter_unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an adapter is: `module:attribute`, and what people call it."""

    path: str
    title: str


class Adapters(Generic[T]):
    """The adapters of one kind, by name. `noun` is what messages call one, such as "model runtime"."""

    def __init__(self, noun: str, places: Mapping[str, Place]) -> None:
        self.noun = noun
        self._places = dict(places)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are known, in the order of the table."""
        return tuple(self._places)

    @property
    def titles(self) -> dict[str, str]:
        """What people call each adapter, by name."""
        return {name: place.title for name, place in self._places.items()}

    def get(self, name: str) -> T:
        """Return the adapter of this name, imported if need be. Raises AdapterUnknown that lists the known names."""
        place = self._places.get(name)
        if place is None:
            raise AdapterUnknown(f"There is no {self.noun} '{name}'. Known: {', '.join(self.names)}.")
        module, attribute = place.path.split(":")
        return cast(T, getattr(import_module(module), attribute))
