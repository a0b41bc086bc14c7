"""Succession: a log whose database cannot be restored to what was published continues under another name.

The old log is neither continued nor hidden: the first entry of its successor records where it ended.
"""

import logging
from base64 import b64encode

from django.conf import settings
from django.db import transaction

from governance.audit.entries import LogSucceeded
from governance.audit.errors import LogDiverged, SuccessionInvalid
from governance.audit.log.checkpoint_slots import StoredCheckpoint, read_slot
from governance.audit.log.log_alarms import LOG, resolve_alarms
from governance.audit.models import Checkpoint, LedgerEntry, OutboxEntry
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.kernel.canonical import Json

logger = logging.getLogger(__name__)

_REASON_LENGTH = 300


def check_origin() -> None:
    """Raise LogDiverged `log_origin_changed` when ASSENT_LOG_ORIGIN was changed without a succession."""
    origin = settings.ASSENT_LOG_ORIGIN
    if Checkpoint.objects.filter(origin=origin).exists() or not Checkpoint.objects.exists():
        return
    if not _is_announced(origin):
        others = sorted(set(Checkpoint.objects.values_list("origin", flat=True).order_by("origin").distinct()))
        message = (
            f"ASSENT_LOG_ORIGIN is {origin}, but this log was published as {', '.join(others)}. Set the origin "
            f"back, or begin a succession with 'manage.py audit succeed'."
        )
        raise LogDiverged(message, code="log_origin_changed", details={"origin": origin, "published": others})


def succeed(*, old_origin: str, reason: str, actor: Actor) -> StoredCheckpoint | None:
    """Record that the log of this installation takes over from `old_origin`, and end the alarms.

    ASSENT_LOG_ORIGIN must be the new name already. Returns the old log's last checkpoint in WORM storage, None when
    there is none; later slots with other content are counted in the entry. Raises SuccessionInvalid, what
    `resolve_alarms` and what the store raises.
    """
    origin = settings.ASSENT_LOG_ORIGIN
    if origin == old_origin:
        raise SuccessionInvalid(f"The new log needs another name: set ASSENT_LOG_ORIGIN, which is still {origin}.")
    if not reason.strip() or len(reason) > _REASON_LENGTH:
        raise SuccessionInvalid(f"Give a reason of 1 to {_REASON_LENGTH} characters that names nobody.")
    if _is_announced(origin) or Checkpoint.objects.filter(origin=origin).exists():
        raise SuccessionInvalid(f"{origin} is in use already; a log that succeeds another begins with a new name.")
    last = last_in_storage(old_origin)
    with transaction.atomic():
        entry = LogSucceeded(
            old_origin=old_origin,
            reason=reason,
            checkpoint=None if last is None else _checkpoint_json(last),
            spoiled_slots=last_slot(old_origin) - (last.number if last else 0) or None,
        )
        record(entry, subject=SubjectRef(LOG, origin), actor=actor)
        resolve_alarms(resolution=reason, actor=actor)
    return last


def last_in_storage(origin: str) -> StoredCheckpoint | None:
    """Return the readable checkpoint with the highest number, None when there is none.

    Raises what the store raises. Slots with content that this installation did not sign are skipped, so that a
    spoiled slot does not prevent a succession.
    """
    for number in range(last_slot(origin), 0, -1):
        try:
            return read_slot(origin=origin, number=number)
        except LogDiverged as found:
            logger.error("Skipped: %s", found.message)
    return None


def last_slot(origin: str) -> int:
    """Return the highest number whose slot is taken, or 0. Takes about 2 log2(n) reads, as there are no gaps."""
    taken, free = 0, 1
    while _is_taken(origin, free):
        taken, free = free, free * 2
    while free - taken > 1:
        middle = (taken + free) // 2
        taken, free = (middle, free) if _is_taken(origin, middle) else (taken, middle)
    return taken


def _is_taken(origin: str, number: int) -> bool:
    try:
        return read_slot(origin=origin, number=number) is not None
    except LogDiverged:
        return True


def _checkpoint_json(last: StoredCheckpoint) -> dict[str, Json]:
    return {"number": last.number, "size": last.body.size, "root": b64encode(last.body.root).decode("ascii")}


def _is_announced(origin: str) -> bool:
    about = {"kind": LogSucceeded.declaration.kind, "subject_type": LOG, "subject_id": origin}
    return OutboxEntry.objects.filter(**about).exists() or LedgerEntry.objects.filter(**about).exists()
