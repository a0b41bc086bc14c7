"""Verification of the ledger: entries are compared with their bytes, and with every tree head."""

from collections.abc import Generator, Iterator
from itertools import chain

from governance.audit.models import LedgerEntry, OutboxEntry, TreeHead
from governance.audit.recording.entries import differing_columns
from governance.audit.tally import Tally, fault
from governance.audit.types import Fault
from governance.transparency.merkle import Frontier, leaf_hash

_CHUNK = 2000


def ledger_faults(tally: Tally) -> Iterator[Fault]:
    """Recompute leaf hashes and the root of every tree head, looking for gaps; reads all entries once, in order."""
    newest = TreeHead.objects.order_by("-size").first()
    size = 0 if newest is None else newest.size
    rows = LedgerEntry.objects.filter(index__lt=size).order_by("index").iterator(chunk_size=_CHUNK)
    entries = _Entries(tally.counted("ledger_entries", rows, total=size))
    heads = TreeHead.objects.filter(size__lte=size).order_by("size")
    frontier: Frontier | None = Frontier()
    for head in tally.counted("tree_heads", heads.iterator(chunk_size=_CHUNK), total=heads.count()):
        if frontier is not None:
            frontier = yield from _batch_faults(head, frontier, entries)
    yield from _stray_faults(size)


def outbox_faults(tally: Tally) -> Iterator[Fault]:
    """Compare every waiting entry with its bytes."""
    rows = OutboxEntry.objects.order_by("id")
    for entry in tally.counted("waiting_entries", rows.iterator(chunk_size=_CHUNK), total=rows.count()):
        yield from _column_faults(entry, f"waiting entry {entry.entry_id}")


class _Entries:
    """A stream of entries, taken in parts."""

    def __init__(self, entries: Iterator[LedgerEntry]) -> None:
        self._entries = entries

    def below(self, size: int) -> Iterator[LedgerEntry]:
        """Yield the next entries up to index `size`; keep the first one after it."""
        for entry in self._entries:
            if entry.index >= size:
                self._entries = chain([entry], self._entries)
                return
            yield entry


def _batch_faults(head: TreeHead, frontier: Frontier, entries: _Entries) -> Generator[Fault, None, Frontier | None]:
    """Check what was appended up to `head`; return the frontier to continue from, or None."""
    name = f"tree head of {head.size} entries"
    leaves: list[bytes] = []
    expected = frontier.size
    for entry in entries.below(head.size):
        yield from _entry_faults(entry)
        yield from _gap_faults(expected, entry.index)
        leaves.append(bytes(entry.leaf_hash))
        expected = entry.index + 1
    yield from _gap_faults(expected, head.size)
    grown = frontier.extended(leaves)
    if grown.size == head.size and grown.root() == bytes(head.root_hash):
        if grown.to_bytes() != bytes(head.frontier):
            yield fault(name, "tree_frontier", "The stored subtree hashes are not those of the entries.")
        return grown
    if grown.size == head.size:
        yield fault(
            name, "tree_root", f"Entries #{frontier.size} to #{head.size - 1} do not lead to the stored root hash."
        )
    stored = _stored_frontier(head)
    if stored is None:
        yield fault(name, "tree_frontier", f"The entries from #{head.size} on cannot be checked against their tree.")
    return stored


def _entry_faults(entry: LedgerEntry) -> Iterator[Fault]:
    name = f"ledger entry #{entry.index} ({entry.kind} {entry.subject_type}:{entry.subject_id})"
    if leaf_hash(bytes(entry.body)) != bytes(entry.leaf_hash):
        yield fault(name, "entry_leaf", "The bytes of the entry do not have its leaf hash.")
    yield from _column_faults(entry, name)


def _column_faults(entry: LedgerEntry | OutboxEntry, name: str) -> Iterator[Fault]:
    differing = differing_columns(entry, bytes(entry.body))
    if differing:
        yield fault(name, "entry_columns", f"The bytes of the entry differ in: {', '.join(differing)}.")


def _gap_faults(expected: int, found: int) -> Iterator[Fault]:
    if expected < found:
        names = f"ledger entry #{expected}" if found == expected + 1 else f"ledger entries #{expected} to #{found - 1}"
        yield fault(names, "entry_missing", f"{found - expected} missing; the ledger has no gaps.")


def _stray_faults(size: int) -> Iterator[Fault]:
    stray = LedgerEntry.objects.filter(index__gte=size).order_by("index").first()
    # An entry and its tree head become visible together, so an entry that was added meanwhile has its head now.
    if stray is not None and not TreeHead.objects.filter(size__gt=stray.index).exists():
        yield fault(
            f"ledger entry #{stray.index}", "entry_outside_tree", "No tree head covers this entry and those after it."
        )


def _stored_frontier(head: TreeHead) -> Frontier | None:
    try:
        stored = Frontier.from_bytes(size=head.size, data=bytes(head.frontier))
    except ValueError:
        return None
    return stored if stored.root() == bytes(head.root_hash) else None
