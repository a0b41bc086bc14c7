"""Checkpoints: the published tree heads of the log, each proven to continue the previous one.

The order of the steps makes this safe. A checkpoint is signed after its entries are committed. It is written to its
slot in WORM storage, which accepts one checkpoint once, before it is stored in the database or published. The next
signer reads the last slots back. Thus at most one history is ever signed, even by two processes at once, by a process
that takes over from a killed one, or after a database was restored from a backup.
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
    """The state of the log. `lag_entries` are recorded but not under a published checkpoint; ages are in seconds."""

    size: int
    waiting: int
    oldest_waiting_seconds: float
    checkpoint_size: int
    checkpoint_age_seconds: float | None
    lag_entries: int
    alarm: LogAlarm | None


def advance_log() -> LogStatus:
    """Order waiting entries, publish a checkpoint over them and ask the witnesses; return the state of the log.

    Safe to repeat, to run concurrently and to be killed anywhere. Does nothing while there is an alarm. Raises
    LogHalted when database and WORM storage contradict each other, and Unavailable when a component does not answer;
    nothing is lost then, and the next call continues.
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
            return None  # without reading every checkpoint
        # Counted per checkpoint, newest first: an aggregate would count all of them before sorting.
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
    """Return the state of the log, from the database alone."""
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
    """Return how many of the configured witnesses have ever cosigned a checkpoint of this log."""
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
    """Return the newest checkpoint that the database knows, as WORM storage has it."""
    stored = read_slot(origin=last.origin, number=last.number)
    details = {"number": last.number, "key": slot_key(origin=last.origin, number=last.number)}
    if stored is None:
        message = (
            f"WORM storage does not have checkpoint {last.number}: it is a different store, or it lost the object."
        )
        raise LogDiverged(message, code="checkpoint_missing", details=details)
    if stored.note != last.note or (stored.body.size, stored.body.root) != (last.size, bytes(last.root_hash)):
        message = f"Checkpoint {last.number} in the database is not the one in WORM storage."
        raise LogDiverged(message, code="checkpoint_altered", details=details)
    return stored


def _adopt(stored: StoredCheckpoint, *, least: int) -> None:
    """Store a checkpoint from WORM storage whose signer ended before it stored the checkpoint in the database."""
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
        # A process that did not see the lock signed this number meanwhile. The next round reads and checks it.
        logger.warning("The slot of checkpoint %d was taken meanwhile.", number)


def _keep(stored: StoredCheckpoint, number: int) -> None:
    """Write the checkpoint to its slot, then to the database."""
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
