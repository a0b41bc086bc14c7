"""Verification of the log's tiles: every stored hash is recomputed."""

from collections.abc import Iterator
from itertools import islice

from governance.audit.models import LedgerEntry, LogTile, TreeHead
from governance.audit.tally import Tally, fault
from governance.audit.types import Fault
from governance.transparency.tiles import TILE_WIDTH, fold, split_hashes

_CHUNK = 2000


def tile_faults(tally: Tally) -> Iterator[Fault]:
    """Compare every full tile with the leaf hashes or tiles below it; reads all leaf hashes once.

    `ledger_faults` compares leaf hashes with the entries' bytes.
    """
    head = TreeHead.objects.order_by("-size").first()
    level, count = 0, (0 if head is None else head.size) // TILE_WIDTH
    while count:
        stored = LogTile.objects.filter(level=level, number__lt=count).order_by("number").iterator(chunk_size=_CHUNK)
        tiles = tally.counted("log_tiles", stored, total=count)
        below = _hashes_below(level, count * TILE_WIDTH)
        yield from _level_faults(level, _numbered(tiles, count), below)
        level, count = level + 1, count // TILE_WIDTH


def _level_faults(level: int, tiles: Iterator[LogTile | None], below: Iterator[bytes]) -> Iterator[Fault]:
    for number, tile in enumerate(tiles):
        hashes = list(islice(below, TILE_WIDTH))
        name = f"log tile {level}/{number}"
        if tile is None:
            yield fault(name, "tree_tile", "It is missing.")
        elif bytes(tile.hashes) != b"".join(hashes):
            yield fault(name, "tree_tile", "Its hashes differ from the level below.")
        elif fold(split_hashes(bytes(tile.hashes))) != bytes(tile.root):
            yield fault(name, "tree_tile", "Its hashes do not lead to the stored root hash.")


def _numbered(tiles: Iterator[LogTile], count: int) -> Iterator[LogTile | None]:
    """Yield the tiles by number, None for one that is missing."""
    expected = 0
    for tile in tiles:
        yield from (None for _ in range(expected, tile.number))
        yield tile
        expected = tile.number + 1
    yield from (None for _ in range(expected, count))


def _hashes_below(level: int, count: int) -> Iterator[bytes]:
    if level == 0:
        leaves = LedgerEntry.objects.filter(index__lt=count).order_by("index").values_list("leaf_hash", flat=True)
        return map(bytes, leaves.iterator(chunk_size=_CHUNK))
    roots = LogTile.objects.filter(level=level - 1, number__lt=count).order_by("number").values_list("root", flat=True)
    return map(bytes, roots.iterator(chunk_size=_CHUNK))
