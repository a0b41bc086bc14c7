"""Which key counts at which place of the log, as the log itself tells it.

A signature has no date that anybody could prove; its place in the log is one. So the log holds, as entries about the
subject ("key", key id), from which place on a key exists (`key.announced`), up to where it was used (`key.retired`),
and from where on nothing counts that it signs (`key.revoked`). The ring of keys says when something happened, in time;
`announce_keys` turns that into places. There is no table beside the log that could say otherwise.

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
#: How far the clocks of two machines may be apart before a key would seem younger than what it signed.
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The places at which a key counts: from `from_index` to before the others; None is an open end."""

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
        """Return whether what the key signed counts at place `index`."""
        ends = [end for end in (self.until_index, self.revoked_from_index) if end is not None]
        return self.from_index <= index and all(index < end for end in ends)


def key_ranges() -> list[KeyRange]:
    """Return every key that the log announces, oldest announcement first, what still waits for its place too.

    Of several entries that say the same of one key, the one counts that leaves the key least. Raises
    KeyHistoryAltered.
    """
    ranges: dict[str, KeyRange] = {}
    for entry in _entries():
        try:
            _tell(ranges, entry.kind, entry.subject_id, entry_data(bytes(entry.body)))
        except (LookupError, ValueError, TypeError) as error:
            message = f"The entry {entry.entry_id} about key {entry.subject_id} is not as it was recorded."
            raise KeyHistoryAltered(message, details={"entry_id": str(entry.entry_id)}) from error
    return list(ranges.values())


def announce_keys() -> int:
    """Record in the log what the ring of keys says and the log does not yet; return how many entries that took.

    Costs two short queries when there is nothing to say, so it can run each second. Safe to run twice at once.
    Raises KeyHistoryAltered and what loading the keys raises.
    """
    keys = key_ring.get().public_keys()
    if not _unsaid(keys):
        return 0
    with transaction.atomic():
        wait_for_lock(AdvisoryLock.KEY_HISTORY)
        unsaid = _unsaid(keys)
        for entry_of, info in unsaid:
            record(entry_of(info), subject=SubjectRef(KEY, info.key_id), actor=AUDIT_ACTOR)
        return len(unsaid)


def last_told() -> datetime | None:
    """Return when the log last told something of a key, None before the first."""
    return max((entry.occurred_at for entry in _entries()), default=None)


def size_at(moment: datetime) -> int:
    """Return how many entries the log had, at least, at a moment."""
    head = TreeHead.objects.filter(created_at__lte=moment).order_by("-size").first()
    return 0 if head is None else head.size


def _entries() -> Iterable[LedgerEntry | OutboxEntry]:
    # The outbox is read first: an entry that gets its place in between is then seen twice, never missed.
    waiting = list(OutboxEntry.objects.filter(subject_type=KEY).order_by("id"))
    ordered = list(LedgerEntry.objects.filter(subject_type=KEY).order_by("index"))
    return (*ordered, *waiting)


def _tell(ranges: dict[str, KeyRange], kind: str, key_id: str, data: Mapping[str, Any]) -> None:
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


def _earlier(known: int | None, told: int) -> int:
    return told if known is None else min(known, told)


def _unsaid(keys: Sequence[PublicKeyInfo]) -> Sequence[tuple[Callable[[PublicKeyInfo], Entry], PublicKeyInfo]]:
    """Return the keys of which something is to be recorded, each with what makes the entry."""
    now = clock.now()
    known = {each.key_id: each for each in key_ranges()}
    announced = [(_announcement, info) for info in keys if info.key_id not in known]
    revoked = [(_revocation, info) for info in keys if info.revoked(now) and _is_earlier(info, known.get(info.key_id))]
    ended = [info for info in keys if info.not_after and info.not_after <= now and _is_open(known.get(info.key_id))]
    retired = [(_retirement, info) for info in ended if not _still_waits(info)]
    return [*announced, *retired, *revoked]


def _is_earlier(info: PublicKeyInfo, known: KeyRange | None) -> bool:
    told = known.revoked_at if known else ""
    return info.revoked_at is not None and (not told or timestamp(info.revoked_at) < told)


def _is_open(known: KeyRange | None) -> bool:
    return known is None or known.until_index is None


def _still_waits(info: PublicKeyInfo) -> bool:
    """Whether an entry from the key's time has no place yet: the key must not end below it."""
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
    """Where the first thing that the key signed can stand. A place too low does no harm: it signed nothing there."""
    before = info.not_before - CLOCK_TOLERANCE
    if info.purpose is not KeyPurpose.CHECKPOINT:
        return size_at(before)
    # Entries may have been waiting for a checkpoint when the key was made: it then signs for places before it.
    last = Checkpoint.objects.filter(created_at__lte=before).order_by("-id").first()
    return 0 if last is None else last.size
