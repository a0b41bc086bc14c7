"""Reading the log's tree: tiles, bundles of entries, roots and proofs for any size that it has had.

Everything is derived from full tiles and ledger rows. A partial tile of level 0 is ledger rows; one of a higher level
is made of the roots of the full tiles below it. Nothing here verifies what it reads.
"""

import struct
from collections.abc import Mapping, Sequence

from django.db import connection

from governance.audit.errors import LogIncomplete, LogRangeInvalid
from governance.audit.models import LedgerEntry, TreeHead
from governance.transparency.merkle import EMPTY_ROOT
from governance.transparency.tiles import (
    TILE_WIDTH,
    Node,
    TileRef,
    consistency_path,
    cover,
    fold,
    inclusion_path,
    join,
    split_hashes,
)

_Place = tuple[int, int]

#: Full tiles are stored; the others are leaf hashes, or roots of tiles of the level below.
_TILES = """
    SELECT wanted.level, wanted.number, coalesce(
        (
            SELECT substring(hashes FOR wanted.width * 32) FROM audit_logtile AS tile
            WHERE tile.level = wanted.level AND tile.number = wanted.number
        ),
        CASE WHEN wanted.level = 0 THEN (
            SELECT string_agg(leaf_hash, ''::bytea ORDER BY index) FROM audit_ledgerentry
            WHERE index >= wanted.number * 256 AND index < wanted.number * 256 + wanted.width
        ) ELSE (
            SELECT string_agg(root, ''::bytea ORDER BY below.number) FROM audit_logtile AS below
            WHERE below.level = wanted.level - 1
                AND below.number >= wanted.number * 256 AND below.number < wanted.number * 256 + wanted.width
        ) END
    )
    FROM unnest(%s::smallint[], %s::bigint[], %s::integer[]) AS wanted (level, number, width)
"""


def log_size() -> int:
    """Return how many entries are in the log."""
    head = TreeHead.objects.order_by("-size").first()
    return 0 if head is None else head.size


def inclusion_proof(*, index: int, size: int) -> list[bytes]:
    """Return PATH(index, D[0:size]), leaf to root (RFC 9162 section 2.1.3.1).

    Raises LogRangeInvalid unless 0 <= index < size, LogIncomplete when the log does not reach `size`.
    """
    if not 0 <= index < size:
        raise LogRangeInvalid(f"There is no entry {index} in a tree of {size}.", details={"index": index, "size": size})
    return _resolve(inclusion_path(index, size))


def consistency_proof(*, first: int, second: int) -> list[bytes]:
    """Return PROOF(first, D[0:second]) (RFC 9162 section 2.1.4.1); empty for equal sizes and from an empty tree.

    Raises LogRangeInvalid unless 0 <= first <= second, LogIncomplete when the log does not reach `second`.
    """
    if not 0 <= first <= second:
        about = {"first": first, "second": second}
        raise LogRangeInvalid(f"A tree of {second} entries cannot continue one of {first}.", details=about)
    return _resolve(consistency_path(first, second) if first else [])


def root_at(size: int) -> bytes:
    """Return the Merkle tree hash of the first `size` entries (RFC 9162 section 2.1.1). Raises as `inclusion_proof`."""
    if size < 0:
        raise LogRangeInvalid(f"There is no tree of {size} entries.", details={"size": size})
    return _resolve([cover(0, size)])[0] if size else EMPTY_ROOT


def tile(level: int, number: int, width: int = TILE_WIDTH) -> bytes:
    """Return the first `width` hashes of a tile, concatenated. Raises LogIncomplete."""
    return b"".join(_load({(level, number): width})[level, number])


def entry_bundle(number: int, width: int = TILE_WIDTH) -> bytes:
    """Return entries as `uint16 length || bytes`, `width` of them from 256 · `number` on. Raises LogIncomplete."""
    start = number * TILE_WIDTH
    rows = LedgerEntry.objects.filter(index__gte=start, index__lt=start + width).order_by("index")
    bodies = [bytes(body) for body in rows.values_list("body", flat=True)]
    _need(len(bodies), width, f"entries from #{start} on")
    return b"".join(struct.pack(">H", len(body)) + body for body in bodies)


def _resolve(nodes: Sequence[Node]) -> list[bytes]:
    """Return the hash of each node; every tile is read once."""
    widths: dict[_Place, int] = {}
    for subtree in (part for node in nodes for part in node):
        ref, _ = subtree.place()
        widths[ref.level, ref.number] = max(ref.width, widths.get((ref.level, ref.number), 0))
    hashes = _load(widths)
    return [join([_root(*part.place(), hashes) for part in node]) for node in nodes]


def _root(ref: TileRef, offset: int, hashes: Mapping[_Place, Sequence[bytes]]) -> bytes:
    return fold(hashes[ref.level, ref.number][offset : ref.width])


def _load(widths: Mapping[_Place, int]) -> dict[_Place, list[bytes]]:
    """Return the first hashes of each tile, as many as asked for, by one query."""
    places = list(widths)
    levels, numbers = [level for level, _ in places], [number for _, number in places]
    with connection.cursor() as cursor:
        cursor.execute(_TILES, [levels, numbers, [widths[place] for place in places]])
        found = {(level, number): split_hashes(bytes(hashes or b"")) for level, number, hashes in cursor.fetchall()}
    for (level, number), width in widths.items():
        _need(len(found[level, number]), width, f"hashes of tile {level}/{number}")
    return found


def _need(found: int, wanted: int, what: str) -> None:
    if found != wanted:
        raise LogIncomplete(f"The log has {found} of {wanted} {what}.")
