"""The sequencer: orders waiting entries and extends the tree over them.

One transaction takes a batch out of the outbox, appends it to the ledger, stores the tiles that became full and the
new tree head. If it is interrupted, nothing of it has happened and the entries wait as before.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.db import IntegrityError, connection, transaction

from governance.audit.errors import LogDiverged
from governance.audit.guards.advisory_locks import AdvisoryLock, try_lock, wait_for_lock
from governance.audit.models import LedgerEntry, LogTile, TreeHead
from governance.kernel import clock
from governance.transparency.merkle import Frontier
from governance.transparency.tiles import TILE_WIDTH, fold

BATCH = 4096

#: Moves entries from the outbox to the ledger; PostgreSQL computes the leaf hash (RFC 6962 section 2.1).
_APPEND = """
    WITH taken AS (
        DELETE FROM audit_outboxentry WHERE id = ANY (ARRAY(
            SELECT id FROM audit_outboxentry ORDER BY id LIMIT %s
        )) RETURNING *
    ), placed AS (
        INSERT INTO audit_ledgerentry (
            index, entry_id, kind, subject_type, subject_id, actor_type, actor_id, occurred_at, sequenced_at, body,
            leaf_hash
        )
        SELECT %s + row_number() OVER (ORDER BY id) - 1, entry_id, kind, subject_type, subject_id, actor_type, actor_id,
            occurred_at, %s, body, sha256('\\x00'::bytea || body)
        FROM taken ORDER BY id
        RETURNING index, leaf_hash
    )
    SELECT leaf_hash FROM placed ORDER BY index
"""


def sequence_pending(*, limit: int = BATCH) -> int:
    """Move up to `limit` waiting entries to the ledger and store the new tree head; return their number.

    Only one caller runs at a time; the others return 0 at once. Entries that become visible late, after a long
    transaction, get a later index; the index has no gaps. Raises LogDiverged
    `log_altered` when the log cannot be appended to, because it was altered.
    """
    try:
        return _sequence(limit)
    except IntegrityError as error:
        message = f"Waiting entries cannot be put into the log, for what is there already forbids it: {error}"
        raise LogDiverged(message, code="log_altered") from error


def _sequence(limit: int) -> int:
    with transaction.atomic():
        if not try_lock(AdvisoryLock.SEQUENCER):
            return 0
        before, now = _frontier(), clock.now()
        leaves = _append(limit=limit, start=before.size, now=now)
        if leaves:
            after = before.extended(leaves)
            TreeHead.objects.create(size=after.size, root_hash=after.root(), frontier=after.to_bytes(), created_at=now)
            _store_full_tiles(size=after.size)
        return len(leaves)


def sequence_all() -> int:
    """Run `sequence_pending` until nothing is left or another caller runs it; return how many entries were ordered."""
    done = 0
    while count := sequence_pending():
        done += count
        if count < BATCH:
            break
    return done


def store_missing_tiles() -> None:
    """Store the tiles of a log from before tiles existed, in the current transaction; wait for concurrent callers.

    The first new entries of such a log add them too. Until then the log must not be taken for altered.
    """
    wait_for_lock(AdvisoryLock.SEQUENCER)
    _store_full_tiles(size=_frontier().size)


def _append(*, limit: int, start: int, now: datetime) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, [limit, start, now])
        return [bytes(row[0]) for row in cursor.fetchall()]


def _frontier() -> Frontier:
    head = TreeHead.objects.order_by("-size").first()
    if head is None:
        return Frontier()
    try:
        stored = Frontier.from_bytes(size=head.size, data=bytes(head.frontier))
    except ValueError:
        stored = None
    if stored is None or stored.root() != bytes(head.root_hash):
        raise LogDiverged(f"The tree head of {head.size} entries is not as it was stored.", code="log_altered")
    return stored


def _store_full_tiles(*, size: int) -> None:
    """Store every full tile of a tree of `size` leaves that is not stored yet, level by level.

    Continues from the last existing tile, not the last batch, so that a log from before tiles gets all of them.
    """
    level, end = 0, size // TILE_WIDTH
    while end:
        first = _next_tile(level)
        if first < end:
            LogTile.objects.bulk_create(_full_tiles(level, first, end), batch_size=TILE_WIDTH)
        level, end = level + 1, end // TILE_WIDTH


def _next_tile(level: int) -> int:
    newest = LogTile.objects.filter(level=level).order_by("-number").values_list("number", flat=True).first()
    return 0 if newest is None else newest + 1


def _full_tiles(level: int, first: int, end: int) -> Iterator[LogTile]:
    for number, hashes in enumerate(_rows_of(level, first, end), start=first):
        yield LogTile(level=level, number=number, hashes=b"".join(hashes), root=fold(hashes))


def _rows_of(level: int, first: int, end: int) -> Iterator[Sequence[bytes]]:
    hashes = _hashes_below(level, first * TILE_WIDTH, end * TILE_WIDTH)
    for _ in range(first, end):
        yield list(islice(hashes, TILE_WIDTH))


def _hashes_below(level: int, start: int, end: int) -> Iterator[bytes]:
    if level == 0:
        leaves = LedgerEntry.objects.filter(index__gte=start, index__lt=end).order_by("index")
        return map(bytes, leaves.values_list("leaf_hash", flat=True).iterator(chunk_size=BATCH))
    tiles = LogTile.objects.filter(level=level - 1, number__gte=start, number__lt=end).order_by("number")
    return map(bytes, tiles.values_list("root", flat=True).iterator(chunk_size=BATCH))
