"""Checkpoints: what the log publishes, and only after it was proven to continue what was published before.

The order of things is what makes it safe. A checkpoint is signed after its entries are committed; it is written to its
slot in WORM storage, which takes one checkpoint once, before the database or anybody else learns of it. Whoever signs
next reads the last slots back. So of two processes at once, or of one that was killed and one that took over, or of a
database that was set back, at most one history ever gets a signature.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery

from governance.audit.choices import WormKind
from governance.audit.errors import KeyHistoryAltered, LogDiverged, WormOverwriteRefused
from governance.audit.guards.advisory_locks import AdvisoryLock, try_lock
from governance.audit.keeping.worm import store_object
from governance.audit.log.checkpoint_slots import StoredCheckpoint, read_slot, sign_checkpoint, slot_key
from governance.audit.log.cosigning import collect_cosignatures, last_cosigned
from governance.audit.log.key_history import announce_keys
from governance.audit.log.log_alarms import LOG, halted, raise_alarm
from governance.audit.log.log_guard import Tree, check_continues, check_entries, present_tree
from governance.audit.log.log_reader import log_size
from governance.audit.log.sequencer import sequence_all, store_missing_tiles
from governance.audit.log.succession import check_origin
from governance.audit.models import Checkpoint, Cosignature, LogAlarm, OutboxEntry
from governance.audit.types import SubjectRef
from governance.kernel import clock
from governance.transparency.notes import CheckpointBody

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LogStatus:
    """How far the log is. `lag_entries` are recorded but not under a published checkpoint; ages are in seconds."""

    size: int
    waiting: int
    oldest_waiting_seconds: float
    checkpoint_size: int
    checkpoint_age_seconds: float | None
    lag_entries: int
    alarm: LogAlarm | None


def advance_log() -> LogStatus:
    """Give waiting entries their places, publish a checkpoint over them, and ask the witnesses; return how far it is.

    Safe to repeat, to run twice at once and to be killed anywhere. While there is an alarm nothing is done. Raises
    LogHalted when it finds that database and WORM storage do not fit together, and Unavailable when a part does not
    answer: then nothing is lost, and the next call goes on.
    """
    if halted() is None:
        _advance()
        newest = newest_checkpoint()
        if newest is not None:
            collect_cosignatures(newest)
    return log_status()


def published_checkpoint() -> Checkpoint | None:
    """Return the newest checkpoint that enough of the configured witnesses cosigned, None before the first."""
    checkpoints = Checkpoint.objects.filter(origin=settings.ASSENT_LOG_ORIGIN).order_by("-number")
    if settings.ASSENT_WITNESS_QUORUM:
        if _cosigners() < settings.ASSENT_WITNESS_QUORUM:
            return None  # without a look at every checkpoint that there is
        # Counted one checkpoint at a time, newest first: as an aggregate it would count them all before it sorts.
        checkpoints = checkpoints.alias(cosigned=Subquery(_cosigned())).filter(
            cosigned__gte=settings.ASSENT_WITNESS_QUORUM
        )
    return checkpoints.first()


def newest_checkpoint() -> Checkpoint | None:
    """Return the newest checkpoint of this log, cosigned or not."""
    return Checkpoint.objects.filter(origin=settings.ASSENT_LOG_ORIGIN).order_by("-number").first()


def signed_note_of(checkpoint: Checkpoint) -> str:
    """Return the note with the lines of the witnesses below that of the log."""
    lines = checkpoint.cosignatures.order_by("id").values_list("line", flat=True)
    return checkpoint.note + "".join(line.rstrip("\n") + "\n" for line in lines)


def log_status() -> LogStatus:
    """Return how far the log is, from the database alone."""
    published, oldest = published_checkpoint(), OutboxEntry.objects.order_by("id").first()
    size, waiting = log_size(), OutboxEntry.objects.count()
    covered = published.size if published else 0
    return LogStatus(
        size=size,
        waiting=waiting,
        oldest_waiting_seconds=_age(oldest.occurred_at) if oldest else 0.0,
        checkpoint_size=covered,
        checkpoint_age_seconds=_age(published.created_at) if published else None,
        lag_entries=size + waiting - covered,
        alarm=halted(),
    )


def _cosigners() -> int:
    """Return how many of the configured witnesses ever cosigned a checkpoint of this log."""
    names = [witness["name"] for witness in settings.ASSENT_WITNESSES]
    return sum(last_cosigned(settings.ASSENT_LOG_ORIGIN, name) is not None for name in names)


def _cosigned() -> QuerySet[Cosignature, Any]:
    """Return the query for how many of the configured witnesses cosigned the checkpoint of the outer query."""
    names = [witness["name"] for witness in settings.ASSENT_WITNESSES]
    known = Cosignature.objects.filter(checkpoint=OuterRef("pk"), witness__in=names).order_by()
    return known.values("checkpoint").annotate(count=Count("*")).values("count")


def _age(moment: datetime) -> float:
    return max(0.0, (clock.now() - moment).total_seconds())


def _advance() -> None:
    try:
        announce_keys()
        sequence_all()
        with transaction.atomic():
            if try_lock(AdvisoryLock.PUBLISHER):
                _publish()
    except LogDiverged as found:
        raise raise_alarm(found) from found
    except KeyHistoryAltered as found:
        raise raise_alarm(LogDiverged(found.message, code="log_altered", details=found.details)) from found


def _publish() -> None:
    origin = settings.ASSENT_LOG_ORIGIN
    check_origin()
    last = newest_checkpoint()
    if last is None:
        store_missing_tiles()
    tree = present_tree()
    number, covered = 0, 0
    if last is not None:
        check_continues(_read_back(last), tree)
        number, covered = last.number, last.size
    while (stored := read_slot(origin=origin, number=number + 1)) is not None:
        check_continues(stored, tree)
        _adopt(stored, least=covered)
        number, covered = stored.number, stored.body.size
    check_entries(start=covered, tree=tree)
    if tree.size > covered:
        _sign(number + 1, tree)


def _read_back(last: Checkpoint) -> StoredCheckpoint:
    """Return what WORM storage has of the newest checkpoint that the database knows."""
    stored = read_slot(origin=last.origin, number=last.number)
    details = {"number": last.number, "key": slot_key(origin=last.origin, number=last.number)}
    if stored is None:
        message = f"WORM storage does not have checkpoint {last.number}: it is another store, or it lost the object."
        raise LogDiverged(message, code="checkpoint_missing", details=details)
    if stored.note != last.note or (stored.body.size, stored.body.root) != (last.size, bytes(last.root_hash)):
        message = f"Checkpoint {last.number} in the database is not the one in WORM storage."
        raise LogDiverged(message, code="checkpoint_altered", details=details)
    return stored


def _adopt(stored: StoredCheckpoint, *, least: int) -> None:
    """Take over a checkpoint whose signer was killed, or lost to us, before the database learned of it."""
    if stored.body.size < least:
        message = f"Checkpoint {stored.number} in WORM storage covers less than the one before it."
        raise LogDiverged(message, code="checkpoint_altered", details={"number": stored.number})
    logger.warning("Checkpoint %d was in WORM storage but not in the database; taken over.", stored.number)
    _keep(stored, stored.number)


def _sign(number: int, tree: Tree) -> None:
    signed = sign_checkpoint(CheckpointBody(settings.ASSENT_LOG_ORIGIN, tree.size, tree.root))
    try:
        _keep(signed, number)
    except WormOverwriteRefused:
        # Somebody else, who did not see our lock, signed this number meanwhile. The next round reads and judges it.
        logger.warning("The slot of checkpoint %d was taken meanwhile.", number)


def _keep(stored: StoredCheckpoint, number: int) -> None:
    """Write the checkpoint to its slot and, after that, to the database."""
    origin = stored.body.origin
    reference = store_object(
        kind=WormKind.CHECKPOINT,
        subject=SubjectRef(LOG, origin),
        key=slot_key(origin=origin, number=number),
        data=stored.note.encode(),
    )
    Checkpoint.objects.create(
        origin=origin,
        number=number,
        size=stored.body.size,
        root_hash=stored.body.root,
        note=stored.note,
        key_id=stored.key_id,
        reference=reference,
    )
