"""Scrubbing: reading every WORM object back and rehashing it, because stored bytes decay and stores can be wrong.

The work is done in batches, each in its own transaction: a worker can stop or die at any point, and the next one
continues after the last object that was checked. A scrub also applies the current retention classes to stored objects
and completes changes of holds that a crash interrupted.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from governance.audit.choices import ScrubState, WormKind
from governance.audit.entries import ScrubCancelled, ScrubEnded, ScrubFinished, ScrubStarted
from governance.audit.errors import ScrubConflict, WormObjectAltered, WormObjectMissing
from governance.audit.keeping.extensions import extend_object, roll_on
from governance.audit.keeping.holds import lock_reference
from governance.audit.keeping.retention import retention_called
from governance.audit.keeping.worm_checks import record_faults
from governance.audit.models import LegalHold, ScrubRun, WormReference
from governance.audit.ports import WormStore, worm_store
from governance.audit.recording.declarations import Entry
from governance.audit.recording.record import record
from governance.audit.tally import fault
from governance.audit.types import Actor, Fault, SubjectRef, WormObject
from governance.kernel import clock
from governance.kernel.errors import GovernanceError, Unavailable

logger = logging.getLogger(__name__)

FAULTS_KEPT = 1000
#: A key that is never stored: looking it up shows whether the store answers at all.
_NOTHING = "scrub/none"
_ROWS = 100
#: The entry of each state in which a scrub can end.
ENDINGS: Mapping[ScrubState, type[ScrubEnded]] = {
    ScrubState.FINISHED: ScrubFinished,
    ScrubState.CANCELLED: ScrubCancelled,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a scrub after a batch: objects checked in total, and bytes read by this batch."""

    done: int
    bytes_read: int


def start_scrub(*, actor: Actor) -> ScrubRun:
    """Start a scrub of everything that is referenced now. Raises ScrubConflict while one is under way."""
    now = clock.now()
    run = ScrubRun(asked_by=str(actor), started_at=now, heard_at=now)
    run.total = _population(run).count()
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            _record(ScrubStarted(objects=run.total), run, actor)
    except IntegrityError as error:
        raise ScrubConflict("A scrub is under way.") from error
    return run


@transaction.atomic
def cancel_scrub(*, run: ScrubRun, actor: Actor) -> ScrubRun:
    """Stop a scrub before its next batch. Raises ScrubConflict when it has ended."""
    locked = ScrubRun.objects.select_for_update().get(pk=run.pk)
    if locked.state != ScrubState.RUNNING:
        raise ScrubConflict("This scrub has ended.")
    locked.cancel_asked = True
    _end(locked, ScrubState.CANCELLED, actor)
    return locked


@transaction.atomic
def work_batch(*, run_id: UUID, done: int, actor: Actor, seconds: float, most_bytes: int) -> Progress | None:
    """Check objects for a limited time or number of bytes; return the progress, or None at the end.

    `done` is how many objects had been checked when this batch was requested. If another worker has advanced the scrub
    since or is working on it, nothing is done and None is returned, so duplicate messages do not speed it up. At least
    one object is checked, however large it is. Raises Unavailable, with nothing counted, when the store does not
    answer.
    """
    waiting = ScrubRun.objects.select_for_update(skip_locked=True)
    run = waiting.filter(pk=run_id, state=ScrubState.RUNNING, done=done).first()
    if run is None:
        return None
    ends, before = time.monotonic() + seconds, run.bytes_read
    rows = list(_population(run)[:_ROWS])
    holds = _holds_of(rows)
    for reference in rows:
        _look_at(run, reference, actor, holds.get(reference.pk, ()))
        if time.monotonic() >= ends or run.bytes_read - before >= most_bytes:
            break
    run.heard_at = clock.now()
    if not rows:
        _end(run, ScrubState.FINISHED, actor)
        return None
    run.save()
    return Progress(done=run.done, bytes_read=run.bytes_read - before)


def stalled_scrubs(*, before: datetime) -> list[tuple[UUID, int]]:
    """Return the scrubs without progress since `before`, and how many objects each has checked.

    Their worker died, the message was lost, or the store did not answer.
    """
    stalled = ScrubRun.objects.filter(state=ScrubState.RUNNING, heard_at__lt=before)
    return list(stalled.values_list("id", "done"))


def _population(run: ScrubRun) -> QuerySet[WormReference]:
    rows = WormReference.objects.filter(stored_at__lte=run.started_at).order_by("id")
    return rows.filter(id__gt=run.cursor) if run.cursor else rows


def _holds_of(rows: list[WormReference]) -> dict[UUID, list[LegalHold]]:
    found: dict[UUID, list[LegalHold]] = {}
    for hold in LegalHold.objects.filter(reference__in=rows).order_by("set_at"):
        found.setdefault(hold.reference_id, []).append(hold)
    return found


def _look_at(run: ScrubRun, reference: WormReference, actor: Actor, holds: "list[LegalHold] | tuple[()]") -> None:
    for each in _faults(reference, actor, holds):
        logger.error("Scrub %s found a fault (%s) in %s: %s", run.pk, each.check, each.subject, each.message)
        if len(run.faults) < FAULTS_KEPT:
            run.faults.append(asdict(each))
    run.cursor, run.done, run.bytes_read = reference.pk, run.done + 1, run.bytes_read + reference.size


def _faults(reference: WormReference, actor: Actor, holds: "list[LegalHold] | tuple[()]") -> Iterator[Fault]:
    store = worm_store.get()
    name = f"WORM object {reference.uri}"
    try:
        known = store.verify(uri=reference.uri, version_id=reference.version_id)
        yield from record_faults(reference, known)
        yield from _hold_faults(reference, store, known, holds)
        _keep_longer(reference, actor)
    except (WormObjectAltered, WormObjectMissing) as error:
        yield fault(name, error.error_code, error.message)
    except Unavailable as error:
        store.find(key=_NOTHING)  # raises if the store does not answer at all, not only for this object
        yield fault(name, "worm_unreadable", error.message)
    except GovernanceError as error:
        yield fault(name, "worm_unreadable", error.message)


def _hold_faults(
    reference: WormReference, store: WormStore, known: WormObject, holds: "list[LegalHold] | tuple[()]"
) -> Iterator[Fault]:
    """Correct the hold of an object in the store. A difference is read again under the lock."""
    if known.held == any(hold.active for hold in holds):
        return
    name, where = f"WORM object {reference.uri}", {"uri": reference.uri, "version_id": reference.version_id}
    now_holds = lock_reference(reference.pk).holds
    known, wanted = store.head(**where), now_holds.filter(active=True).exists()
    if wanted and not known.held:
        store.hold(**where)
        yield fault(name, "hold_missing", "The store had released its legal hold; it was set again.")
    elif known.held and not wanted and now_holds.exists():
        store.release_hold(**where)
        logger.info("The release of the legal hold on %s was completed.", known.uri)
    elif known.held and not wanted:
        yield fault(name, "hold_unknown", "The store has it under a legal hold that was not set here.")


def _keep_longer(reference: WormReference, actor: Actor) -> None:
    retention = retention_called(reference.retention_class, kind=WormKind(reference.kind))
    until = retention.due(stored_at=reference.stored_at, retain_until=reference.retain_until, now=clock.now())
    if until <= reference.retain_until:
        return
    if retention.days is None and retention.slug == reference.retention_class:
        roll_on(reference=reference, until=until)
    else:
        extend_object(reference=reference, until=until, actor=actor)


def _end(run: ScrubRun, state: ScrubState, actor: Actor) -> None:
    run.state, run.finished_at = state, clock.now()
    run.save()
    _record(ENDINGS[state](objects=run.done, bytes=run.bytes_read, faults=len(run.faults)), run, actor)
    if run.faults:
        logger.error("Scrub %s ended with %s faults; the console lists them.", run.pk, len(run.faults))


def _record(entry: Entry, run: ScrubRun, actor: Actor) -> None:
    record(entry, subject=SubjectRef("scrub", str(run.pk)), actor=actor)
