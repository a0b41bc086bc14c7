"""Counting what a verification has checked, and reporting progress."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from governance.audit.types import Fault
from governance.kernel import clock

T = TypeVar("T")

#: Called with the name of the stage, how many items are done, and how many there are.
Progress = Callable[[str, int, int], None]
_EVERY = timedelta(seconds=1)


class Tally:
    """The counts of one verification by stage."""

    def __init__(self, on_progress: Progress | None = None) -> None:
        self.checked: Counter[str] = Counter()
        self._on_progress = on_progress or _silent

    def counted(self, stage: str, items: Iterable[T], total: int) -> Iterator[T]:
        """Return the items, counting each once it is done; report every second and at the end."""
        self.checked[stage] += 0
        return self._counting(stage, items, total)

    def _counting(self, stage: str, items: Iterable[T], total: int) -> Iterator[T]:
        reported_at = clock.now()
        for item in items:
            yield item
            self.checked[stage] += 1
            if clock.now() >= reported_at + _EVERY:
                reported_at = clock.now()
                self._on_progress(stage, self.checked[stage], total)
        self._on_progress(stage, self.checked[stage], total)


def chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of at most `size`."""
    while chunk := list(islice(items, size)):
        yield chunk


def fault(subject: str, check: str, message: str) -> Fault:
    """Return a fault with the remedy of its check."""
    return Fault(subject=subject, check=check, message=message, remedy=REMEDIES[check])


_RESTORE_ROW = (
    "Somebody changed the database without the application. Keep it as it is, find out who, restore a backup."
)
_HELD_TWICE = (
    "the database holds the same bytes, as evidence envelope, checkpoint note, or content and signature of a revision."
)

#: What to do, by the check that failed.
REMEDIES = {
    "entry_leaf": _RESTORE_ROW,
    "entry_columns": "The signed bytes count, not the columns. " + _RESTORE_ROW,
    "entry_missing": "Entries were removed. " + _RESTORE_ROW,
    "entry_outside_tree": "This entry was added without the sequencer. " + _RESTORE_ROW,
    "tree_root": "An entry of this range was replaced together with its hash. " + _RESTORE_ROW,
    "tree_frontier": "The next entries would be added to a wrong tree. Stop the sequencer. " + _RESTORE_ROW,
    "tree_tile": "Proofs of entries below it fail. Stop the sequencer. " + _RESTORE_ROW,
    "evidence_digest": _RESTORE_ROW,
    "evidence_signature": "If the key is unknown, restore the key store; else the envelope is forged. " + _RESTORE_ROW,
    "evidence_row": "The signed statement counts, not the row. " + _RESTORE_ROW,
    "evidence_ledger": "Evidence and ledger disagree. " + _RESTORE_ROW,
    "evidence_missing": "The evidence was removed from the database; its WORM object still holds it. " + _RESTORE_ROW,
    "receipt_digest": _RESTORE_ROW,
    "receipt_signature": "If the key is unknown, restore the key store; else the envelope is forged. " + _RESTORE_ROW,
    "receipt_row": "The signed statement counts, not the row. " + _RESTORE_ROW,
    "receipt_ledger": "Receipt and ledger disagree. " + _RESTORE_ROW,
    "reference_missing": "The reference was removed; the WORM object is named in the ledger. " + _RESTORE_ROW,
    "reference_ledger": "Reference and ledger disagree. " + _RESTORE_ROW,
    "worm_bytes": "The stored object differs from the database. Restore it from a copy of the WORM store.",
    "worm_record": "The store keeps it differently than promised. Restore it from a copy of the WORM store.",
    "worm_object_altered": "The stored file was changed. Restore it from a copy of the WORM store; " + _HELD_TWICE,
    "worm_object_missing": "The stored file was removed. Restore it from a copy of the WORM store; " + _HELD_TWICE,
    "hold_missing": "Somebody lifted the hold in the store itself. Find out who may do that; the object was kept.",
    "hold_unknown": "Ask who set it in the store itself. Set a hold here too, or have it lifted there.",
    "worm_unreadable": "Check disk, permissions and settings of the WORM store, then verify again.",
}


def _silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""
