"""Checks before anything new is signed: is the log in the database still the published one?

Each round proves that the tree continues the last checkpoint and rehashes all new entries. Old entries are rehashed a
few tiles at a time, in a cycle.
"""

from dataclasses import dataclass, field
from threading import Lock

from django.db import connection

from governance.audit.errors import LogDiverged, LogIncomplete
from governance.audit.log.checkpoint_slots import StoredCheckpoint
from governance.audit.log.log_reader import consistency_proof, root_at
from governance.audit.models import LogTile, TreeHead
from governance.transparency.merkle import EMPTY_ROOT
from governance.transparency.proofs import ProofInvalid, verify_consistency
from governance.transparency.tiles import TILE_WIDTH, fold, split_hashes

#: Full tiles of old entries per round: a log of a million entries is checked in eight minutes.
PATROL_TILES = 8

_ALTERED_ENTRIES = """
    SELECT index FROM audit_ledgerentry
    WHERE index >= %s AND index < %s AND leaf_hash <> sha256('\\x00'::bytea || body) ORDER BY index LIMIT 1
"""
_ALTERED_TILES = """
    SELECT wanted FROM generate_series(%s::bigint, %s::bigint) AS wanted
    LEFT JOIN audit_logtile AS tile ON tile.level = 0 AND tile.number = wanted
    WHERE tile.hashes IS DISTINCT FROM (
        SELECT string_agg(sha256('\\x00'::bytea || body), ''::bytea ORDER BY index) FROM audit_ledgerentry
        WHERE index >= wanted * 256 AND index < (wanted + 1) * 256
    ) ORDER BY wanted LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """The log's tree as the database has it."""

    size: int
    root: bytes


@dataclass(slots=True)
class Patrol:
    """The position of this process in the cycle over old entries; a new process starts again."""

    number: int = 0
    _lock: Lock = field(default_factory=Lock)

    def take(self, tiles: int) -> range:
        """Return the next tiles to check, out of that many full ones."""
        with self._lock:
            first = self.number if self.number < tiles else 0
            self.number = min(first + PATROL_TILES, tiles)
            return range(first, self.number)


patrol = Patrol()


def present_tree() -> Tree:
    """Return the newest tree. Raises LogDiverged `log_altered` when tiles and tree head contradict each other."""
    head = TreeHead.objects.order_by("-size").first()
    tree = Tree(0, EMPTY_ROOT) if head is None else Tree(head.size, bytes(head.root_hash))
    if _root(tree.size) != tree.root:
        raise _altered(f"The tiles of the log do not lead to the root of its tree of {tree.size} entries.", tree)
    return tree


def check_continues(stored: StoredCheckpoint, tree: Tree) -> None:
    """Prove that the current tree contains all of the checkpoint's (RFC 9162 section 2.1.4). Raises LogDiverged."""
    body = stored.body
    details = {"number": stored.number, "published": body.size, "present": tree.size}
    if body.size > tree.size:
        message = (
            f"Checkpoint {stored.number} in WORM storage covers {body.size} entries, the database has {tree.size}: "
            f"it was set back to an earlier state."
        )
        raise LogDiverged(message, code="log_behind_worm", details=details)
    if _root(body.size) != body.root or not _is_consistent(body.size, body.root, tree):
        message = (
            f"The first {body.size} entries in the database are not those that checkpoint {stored.number} in WORM "
            f"storage covers: entries were changed, or others were added after the database was set back."
        )
        raise LogDiverged(message, code="log_forked", details=details)


def check_entries(*, start: int, tree: Tree) -> None:
    """Rehash the entries from `start` on, those of the last tile, and some older ones. Raises LogDiverged."""
    full = tree.size // TILE_WIDTH
    with connection.cursor() as cursor:
        cursor.execute(_ALTERED_ENTRIES, [min(start, full * TILE_WIDTH), tree.size])
        for (index,) in cursor.fetchall():
            raise _altered(f"The bytes of entry #{index} do not match its hash.", tree)
        for tiles in (range(start // TILE_WIDTH, full), patrol.take(full)):
            cursor.execute(_ALTERED_TILES, [tiles.start, tiles.stop - 1])
            for (number,) in cursor.fetchall():
                first = number * TILE_WIDTH
                raise _altered(f"Entries #{first} to #{first + TILE_WIDTH - 1} do not match their tile.", tree)
            _check_tile_roots(tiles, tree)


def check_whole_log() -> None:
    """Rehash every entry and every full tile, about a minute for millions of entries. Raises LogDiverged."""
    check_entries(start=0, tree=present_tree())


def _check_tile_roots(tiles: range, tree: Tree) -> None:
    rows = LogTile.objects.filter(level=0, number__gte=tiles.start, number__lt=tiles.stop)
    for number, hashes, root in rows.values_list("number", "hashes", "root").iterator(chunk_size=TILE_WIDTH):
        if fold(split_hashes(bytes(hashes))) != bytes(root):
            raise _altered(f"Tile 0/{number} of the log does not have the root hash that is stored with it.", tree)


def _is_consistent(size: int, root: bytes, tree: Tree) -> bool:
    try:
        proof = consistency_proof(first=size, second=tree.size)
        verify_consistency(first=size, second=tree.size, first_root=root, second_root=tree.root, proof=proof)
    except (ProofInvalid, LogIncomplete):
        return False
    return True


def _root(size: int) -> bytes | None:
    try:
        return root_at(size)
    except LogIncomplete:
        return None


def _altered(message: str, tree: Tree) -> LogDiverged:
    return LogDiverged(message, code="log_altered", details={"present": tree.size})
