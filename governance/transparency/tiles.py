"""The places of a log's hashes: perfect subtrees, the tiles that hold them (C2SP tlog-tiles), and the paths of proofs.

Pure arithmetic over indexes and sizes; only `fold` and `join` compute hashes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from governance.transparency.merkle import HASH_BYTES, node_hash

#: A tile spans this many levels of the tree, hence 256 hashes.
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
_NUMBER = r"(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
_TILE_PATH = re.compile(rf"(?P<level>0|[1-9][0-9]?|entries)/{_NUMBER}", re.ASCII)
#: 2^63 - 1, the largest index, has 19 digits: seven groups.
_MOST_GROUPS = 7


@dataclass(frozen=True, slots=True)
class TileRef:
    """A tile, or the part of it that the first `width` hashes are. Level -1 stands for the bundle of entries."""

    level: int
    number: int
    width: int = TILE_WIDTH

    @property
    def full(self) -> bool:
        """Whether the tile has all its hashes and will never change again."""
        return self.width == TILE_WIDTH

    def end(self) -> int:
        """Return how many entries a log must have for this tile to exist."""
        unit = 1 << (TILE_HEIGHT * max(self.level, 0))
        return (self.number * TILE_WIDTH + self.width) * unit


@dataclass(frozen=True, slots=True)
class Subtree:
    """The perfect subtree over the 2^`height` leaves from `number` · 2^`height` on."""

    height: int
    number: int

    def place(self) -> tuple[TileRef, int]:
        """Return the part of a tile that ends with this subtree's hashes, and where in it they begin."""
        level, inner = divmod(self.height, TILE_HEIGHT)
        number, offset = divmod(self.number << inner, TILE_WIDTH)
        return TileRef(level, number, offset + (1 << inner)), offset


#: Perfect subtrees, left to right, that together make one node of the tree.
Node = tuple[Subtree, ...]

ENTRIES = -1


def tile_path(level: int, number: int, width: int = TILE_WIDTH) -> str:
    """Return `<L>/<N>[.p/<W>]` as it stands after `/tile/`; level -1 gives the path of a bundle of entries."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    name = "entries" if level == ENTRIES else str(level)
    return f"{name}/{'/'.join(reversed(groups))}" + ("" if width == TILE_WIDTH else f".p/{width}")


def parse_tile_path(path: str) -> TileRef | None:
    """Return what `tile_path` was given, or None for a path that it never makes."""
    found = _TILE_PATH.fullmatch(path)
    if found is None or found["number"].count("/") >= _MOST_GROUPS:
        return None
    level = ENTRIES if found["level"] == "entries" else int(found["level"])
    ref = TileRef(level, int(found["number"].replace("x", "").replace("/", "")), int(found["width"] or TILE_WIDTH))
    return ref if level <= MAX_LEVEL and tile_path(ref.level, ref.number, ref.width) == path else None


def cover(start: int, end: int) -> Node:
    """Return the perfect subtrees of MTH(D[start:end]); `start` must be aligned as RFC 9162 section 2.1.1 splits."""
    parts = []
    while start < end:
        height = (end - start).bit_length() - 1
        parts.append(Subtree(height, start >> height))
        start += 1 << height
    return tuple(parts)


def inclusion_path(index: int, size: int) -> list[Node]:
    """Return the nodes of PATH(index, D[0:size]), leaf to root (RFC 9162 section 2.1.3.1); 0 <= index < size."""
    path: list[Node] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(cover(middle, end))
            end = middle
        else:
            path.append(cover(start, middle))
            start = middle
    return path[::-1]


def consistency_path(first: int, second: int) -> list[Node]:
    """Return the nodes of PROOF(first, D[0:second]) (RFC 9162 section 2.1.4.1); 0 < first <= second."""
    path: list[Node] = []
    start, end, whole = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(cover(middle, end))
            end = middle
        else:
            path.append(cover(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(cover(start, end))
    return path[::-1]


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the tree hash over the hashes of a perfect subtree's nodes of one level: 1, 2, 4, ... of them."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[place], row[place + 1]) for place in range(0, len(row), 2)]
    return row[0]


def join(roots: Sequence[bytes]) -> bytes:
    """Return the hash of a node from the roots of its perfect subtrees, left to right."""
    *larger, root = roots
    for left in reversed(larger):
        root = node_hash(left, root)
    return root


def split_hashes(data: bytes) -> list[bytes]:
    """Return the hashes in the bytes of a tile. Raises ValueError when they are not whole hashes."""
    if len(data) % HASH_BYTES:
        raise ValueError(f"{len(data)} bytes are not a whole number of hashes")
    return [data[place : place + HASH_BYTES] for place in range(0, len(data), HASH_BYTES)]


def _split(size: int) -> int:
    """Return the largest power of two below `size` (RFC 9162 section 2.1.1)."""
    return 1 << ((size - 1).bit_length() - 1)
