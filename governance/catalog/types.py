"""Values of the catalogue."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NotRequired, Protocol, TypedDict
from uuid import UUID

from governance.catalog.choices import ConsentSource, ConsentState
from governance.catalog.models import ConsentLevel, ConsentLevelVersion
from governance.pictures.limits import Limits


class ByteSource(Protocol):
    """Anything that bytes can be read from in chunks: an open file, an upload, a network response."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in storage. `name` follows from `sha256`; `size` counts bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that somebody sends: its bytes, the name that they gave it, and how large a picture it may hold.

    `limits` None stands for those of the settings.
    """

    stream: ByteSource
    name: str
    limits: Limits | None = None


class ConsentTerms(TypedDict):
    """What a creator grants. Empty `regions` means everywhere, empty `partners_allowed` every partner.

    `valid_from` None means from now on, `valid_until` None without end. Partners are named by slug. `level_version` is
    the version of the level that the creator read, None for the one in force.
    """

    level: ConsentLevel
    level_version: NotRequired[ConsentLevelVersion | None]
    regions: NotRequired[Collection[str]]
    partners_allowed: NotRequired[Collection[str]]
    partners_excluded: NotRequired[Collection[str]]
    valid_from: NotRequired[datetime | None]
    valid_until: NotRequired[datetime | None]


@dataclass(frozen=True, slots=True)
class EffectiveConsent:
    """The consent that recorded statements result in for one asset at one moment.

    `pairs` holds the permitted (action, purpose) pairs and is empty unless `state` is active: those of the version of
    the level that the creator agreed to, without what later versions took away. `level`, `level_version` (its number),
    `regions` and the partner lists are those of the statement that governs. `epoch` is the creator's consent epoch,
    read before the statements: a permit bound to it can never be based on older statements.
    """

    state: ConsentState
    source: ConsentSource
    epoch: int
    grant_id: UUID | None = None
    level: str | None = None
    level_version: int | None = None
    pairs: frozenset[tuple[str, str]] = frozenset()
    regions: tuple[str, ...] = ()
    partners_allowed: tuple[str, ...] = ()
    partners_excluded: tuple[str, ...] = ()
