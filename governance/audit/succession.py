"""Succession: a log whose database cannot be brought back to what was published goes on under another name.

The old log is never continued, nor is it hidden: the first thing that its successor records is where it ended.
"""

from base64 import b64encode

from django.conf import settings
from django.db import transaction

from governance.audit.checkpoint_slots import StoredCheckpoint, read_slot
from governance.audit.errors import LogDiverged, SuccessionInvalid
from governance.audit.log_alarms import LOG, resolve_alarms
from governance.audit.models import Checkpoint, LedgerEntry, OutboxEntry
from governance.audit.services import record
from governance.audit.types import Actor, SubjectRef
from governance.kernel.canonical import Json

SUCCEEDED = "log.succeeded"
_REASON_LENGTH = 300


def check_origin() -> None:
    """Raise LogDiverged `log_origin_changed` when another log's entries are about to get a new name unannounced."""
    origin = settings.ASSENT_LOG_ORIGIN
    if Checkpoint.objects.filter(origin=origin).exists() or not Checkpoint.objects.exists():
        return
    if not _is_announced(origin):
        others = sorted(set(Checkpoint.objects.values_list("origin", flat=True).order_by("origin").distinct()))
        message = (
            f"ASSENT_LOG_ORIGIN is {origin}, but this log was published as {', '.join(others)}. Set the origin "
            f"back, or let it be succeeded with 'manage.py audit succeed'."
        )
        raise LogDiverged(message, code="log_origin_changed", details={"origin": origin, "published": others})


def succeed(*, old_origin: str, reason: str, actor: Actor) -> StoredCheckpoint | None:
    """Record that the log of this installation takes over from `old_origin`, and end the alarms.

    ASSENT_LOG_ORIGIN must be the new name already. Returns the old log's last checkpoint in WORM storage, None when
    there is none. Raises SuccessionInvalid, LogDiverged when that checkpoint is not ours, and what the store raises.
    """
    origin = settings.ASSENT_LOG_ORIGIN
    if origin == old_origin:
        raise SuccessionInvalid(f"The new log needs another name: set ASSENT_LOG_ORIGIN, which is still {origin}.")
    if not reason.strip() or len(reason) > _REASON_LENGTH:
        raise SuccessionInvalid(f"Say in 1 to {_REASON_LENGTH} characters why, without naming anybody.")
    if _is_announced(origin) or Checkpoint.objects.filter(origin=origin).exists():
        raise SuccessionInvalid(f"{origin} is in use already; a log that succeeds another begins with a new name.")
    last = last_in_storage(old_origin)
    with transaction.atomic():
        told = None if last is None else _told(last)
        data: dict[str, Json] = {"old_origin": old_origin, "reason": reason, "checkpoint": told}
        record(kind=SUCCEEDED, subject=SubjectRef(LOG, origin), actor=actor, data=data)
        resolve_alarms(resolution=reason, actor=actor)
    return last


def last_in_storage(origin: str) -> StoredCheckpoint | None:
    """Return the checkpoint with the highest number, in about 2 log2(n) reads: numbers have no gaps."""
    if (last := read_slot(origin=origin, number=1)) is None:
        return None
    taken, free = 1, 2
    while (stored := read_slot(origin=origin, number=free)) is not None:
        last, taken, free = stored, free, free * 2
    while free - taken > 1:
        middle = (taken + free) // 2
        stored = read_slot(origin=origin, number=middle)
        if stored is None:
            free = middle
        else:
            last, taken = stored, middle
    return last


def _told(last: StoredCheckpoint) -> Json:
    return {"number": last.number, "size": last.body.size, "root": b64encode(last.body.root).decode("ascii")}


def _is_announced(origin: str) -> bool:
    about = {"kind": SUCCEEDED, "subject_type": LOG, "subject_id": origin}
    return OutboxEntry.objects.filter(**about).exists() or LedgerEntry.objects.filter(**about).exists()
