"""Which key is valid at which index of the log, as the log itself records it.

A signature has no provable date except its place in the log. So entries about the subject ("key", key id) record the
index from which a key is valid (`key.announced`), the index at which its use ended (`key.retired`), and the index from
which nothing that it signs is valid (`key.revoked`). The key ring knows the times of these events; `announce_keys`
turns them into indexes. No other table holds this, so nothing can contradict the log.

For a signed entry the place is its index. For a checkpoint over n entries it is n - 1, the last entry that it covers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from governance.audit.entries import KeyAnnounced, KeyRetired, KeyRevoked
from governance.audit.errors import KeyHistoryAltered
from governance.audit.guards.advisory_locks import AdvisoryLock, wait_for_lock
from governance.audit.models import Checkpoint, LedgerEntry, OutboxEntry, TreeHead
from governance.audit.recording.declarations import Entry
from governance.audit.recording.entries import entry_data
from governance.audit.recording.record import record
from governance.audit.types import AUDIT_ACTOR, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import timestamp
from governance.keys.ring import KeyAlgorithm, KeyPurpose, PublicKeyInfo, key_ring

KEY = "key"
#: The allowed difference of two machines' clocks, beyond which a key could seem younger than its signatures.
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The indexes at which a key is valid: from `from_index` to before the others; None is an open end."""

    key_id: str
    algorithm: KeyAlgorithm
    purpose: KeyPurpose
    public_pem: str
    development: bool
    from_index: int
    until_index: int | None = None
    revoked_from_index: int | None = None
    revoked_at: str = ""

    def allows(self, index: int) -> bool:
        """Return whether a signature of the key is valid at `index`."""
        ends = [end for end in (self.until_index, self.revoked_from_index) if end is not None]
        return self.from_index <= index and all(index < end for end in ends)


def key_ranges() -> list[KeyRange]:
    """Return every key that the log announces, oldest announcement first, including waiting entries.

    Of several entries of one kind about a key, the most restrictive one applies. Raises
    KeyHistoryAltered.
    """
    ranges: dict[str, KeyRange] = {}
    for entry in _entries():
        try:
            _apply_entry(ranges, entry.kind, entry.subject_id, entry_data(bytes(entry.body)))
        except (LookupError, ValueError, TypeError) as error:
            message = f"The entry {entry.entry_id} about key {entry.subject_id} was altered."
            raise KeyHistoryAltered(message, details={"entry_id": str(entry.entry_id)}) from error
    return list(ranges.values())


def announce_keys() -> int:
    """Record what the key ring knows and the log does not yet; return the number of new entries.

    Takes two short queries when there is nothing to record, so it can run each second. Safe to run concurrently.
    Raises KeyHistoryAltered and what loading the keys raises.
    """
    keys = key_ring.get().public_keys()
    if not _unrecorded(keys):
        return 0
    with transaction.atomic():
        wait_for_lock(AdvisoryLock.KEY_HISTORY)
        unrecorded = _unrecorded(keys)
        for entry_of, info in unrecorded:
            record(entry_of(info), subject=SubjectRef(KEY, info.key_id), actor=AUDIT_ACTOR)
        return len(unrecorded)


def last_key_entry_at() -> datetime | None:
    """Return the time of the newest entry about a key, None before the first."""
    return max((entry.occurred_at for entry in _entries()), default=None)


def size_at(moment: datetime) -> int:
    """Return how many entries the log had, at least, at a moment."""
    head = TreeHead.objects.filter(created_at__lte=moment).order_by("-size").first()
    return 0 if head is None else head.size


def _entries() -> Iterable[LedgerEntry | OutboxEntry]:
    # Read the outbox first: an entry that is ordered in between is then seen twice, never missed.
    waiting = list(OutboxEntry.objects.filter(subject_type=KEY).order_by("id"))
    ordered = list(LedgerEntry.objects.filter(subject_type=KEY).order_by("index"))
    return (*ordered, *waiting)


def _apply_entry(ranges: dict[str, KeyRange], kind: str, key_id: str, data: Mapping[str, Any]) -> None:
    if kind == KeyAnnounced.declaration.kind:
        ranges.setdefault(key_id, _announced(key_id, data))
    elif kind == KeyRetired.declaration.kind:
        known = ranges[key_id]
        ranges[key_id] = replace(known, until_index=_earlier(known.until_index, data["until_index"]))
    elif kind == KeyRevoked.declaration.kind:
        known = ranges[key_id]
        end = _earlier(known.revoked_from_index, data["from_index"])
        ranges[key_id] = replace(known, revoked_from_index=end, revoked_at=data["revoked_at"])


def _announced(key_id: str, data: Mapping[str, Any]) -> KeyRange:
    return KeyRange(
        key_id=key_id,
        algorithm=KeyAlgorithm(data["algorithm"]),
        purpose=KeyPurpose(data["purpose"]),
        public_pem=data["public_pem"],
        development=data["development"],
        from_index=data["from_index"],
    )


def _earlier(known: int | None, recorded: int) -> int:
    return recorded if known is None else min(known, recorded)


def _unrecorded(keys: Sequence[PublicKeyInfo]) -> Sequence[tuple[Callable[[PublicKeyInfo], Entry], PublicKeyInfo]]:
    """Return the keys with something to record, each with the function that makes the entry."""
    now = clock.now()
    known = {each.key_id: each for each in key_ranges()}
    announced = [(_announcement, info) for info in keys if info.key_id not in known]
    revoked = [(_revocation, info) for info in keys if info.revoked(now) and _is_earlier(info, known.get(info.key_id))]
    ended = [info for info in keys if info.not_after and info.not_after <= now and _is_open(known.get(info.key_id))]
    retired = [(_retirement, info) for info in ended if not _still_waits(info)]
    return [*announced, *retired, *revoked]


def _is_earlier(info: PublicKeyInfo, known: KeyRange | None) -> bool:
    recorded = known.revoked_at if known else ""
    return info.revoked_at is not None and (not recorded or timestamp(info.revoked_at) < recorded)


def _is_open(known: KeyRange | None) -> bool:
    return known is None or known.until_index is None


def _still_waits(info: PublicKeyInfo) -> bool:
    """Whether an entry from the key's time is not ordered yet: the key must not end before it."""
    return OutboxEntry.objects.filter(occurred_at__lt=info.not_after).exists()


def _announcement(info: PublicKeyInfo) -> Entry:
    return KeyAnnounced(
        purpose=info.purpose.value,
        algorithm=info.algorithm.value,
        public_pem=info.public_pem,
        development=info.development,
        from_index=_first_place(info),
    )


def _retirement(info: PublicKeyInfo) -> Entry:
    return KeyRetired(until_index=size_at(clock.now()))


def _revocation(info: PublicKeyInfo) -> Entry:
    moment = info.revoked_at or clock.now()
    return KeyRevoked(from_index=size_at(moment), revoked_at=moment)


def _first_place(info: PublicKeyInfo) -> int:
    """The lowest possible index of a signature of the key. A lower one does no harm: the key signed nothing there."""
    before = info.not_before - CLOCK_TOLERANCE
    if info.purpose is not KeyPurpose.CHECKPOINT:
        return size_at(before)
    # Entries may have been waiting for a checkpoint when the key was created: it then signs for earlier indexes.
    last = Checkpoint.objects.filter(created_at__lte=before).order_by("-id").first()
    return 0 if last is None else last.size
