"""Legal holds on WORM objects: one person sets a hold, two different persons release it together.

A hold is set in the store before the database records it, and released there only after the database records the
release. A crash in between leaves an object that is held longer than necessary; the next scrub corrects that.
"""

from functools import partial
from typing import TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction

from governance.audit.entries import HoldEntry, HoldReleaseAsked, HoldReleased, HoldReleaseWithdrawn, HoldSet
from governance.audit.errors import HoldConflict
from governance.audit.models import LegalHold, WormReference
from governance.audit.ports import worm_store
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex


def set_hold(*, reference: WormReference, actor: Actor, reason: str) -> LegalHold:
    """Put an object under legal hold. Raises HoldConflict when it is held already, and what the store raises."""
    try:
        with transaction.atomic():
            lock_reference(reference.pk)
            hold = LegalHold.objects.create(reference=reference, reason=reason, set_by=str(actor), set_at=clock.now())
            _record(HoldSet(reason_sha256=sha256_hex(reason.encode()), **_facts(hold)), hold, actor)
            worm_store.get().hold(uri=reference.uri, version_id=reference.version_id)
    except IntegrityError as error:
        raise HoldConflict("This object is under legal hold already.") from error
    return hold


@transaction.atomic
def ask_release(*, hold: LegalHold, actor: Actor, reason: str) -> LegalHold:
    """Request the release of a hold, which a second person must confirm. Raises HoldConflict if requested already."""
    locked = _active(hold)
    if locked.release_asked_by:
        raise HoldConflict("Somebody asked for this already; a second person must agree.")
    locked.release_asked_by, locked.release_asked_at, locked.release_reason = str(actor), clock.now(), reason
    locked.save()
    _record(HoldReleaseAsked(reason_sha256=sha256_hex(reason.encode()), **_facts(locked)), locked, actor)
    return locked


@transaction.atomic
def release_hold(*, hold: LegalHold, actor: Actor) -> LegalHold:
    """Confirm a requested release. Raises HoldConflict without a request, and for the person who requested it."""
    locked = _active(hold)
    if not locked.release_asked_by:
        raise HoldConflict("Nobody asked for this hold to be released.")
    if locked.release_asked_by == str(actor):
        raise HoldConflict("You asked for this yourself; a second person must agree.")
    locked.active, locked.released_by, locked.released_at = False, str(actor), clock.now()
    locked.save()
    _record(HoldReleased(asked_by=locked.release_asked_by, **_facts(locked)), locked, actor)
    transaction.on_commit(partial(release_in_store, locked.reference_id), robust=True)
    return locked


@transaction.atomic
def withdraw_release(*, hold: LegalHold, actor: Actor) -> LegalHold:
    """Withdraw the request to release a hold. Raises HoldConflict when there is none."""
    locked = _active(hold)
    if not locked.release_asked_by:
        raise HoldConflict("Nobody asked for this hold to be released.")
    locked.release_asked_by, locked.release_asked_at, locked.release_reason = "", None, ""
    locked.save()
    _record(HoldReleaseWithdrawn(**_facts(locked)), locked, actor)
    return locked


@transaction.atomic
def release_in_store(reference_id: UUID) -> None:
    """Release an object in the store, unless a new hold was set on it meanwhile. Raises what the store raises."""
    reference = lock_reference(reference_id)
    if not reference.holds.filter(active=True).exists():
        worm_store.get().release_hold(uri=reference.uri, version_id=reference.version_id)


def lock_reference(reference_id: UUID) -> WormReference:
    """Lock the hold of an object in the store against other changes for the rest of the transaction."""
    return WormReference.objects.select_for_update(of=("self",)).get(pk=reference_id)


def _active(hold: LegalHold) -> LegalHold:
    locked = LegalHold.objects.select_for_update(of=("self",)).select_related("reference").get(pk=hold.pk)
    if not locked.active:
        raise HoldConflict("This hold is released already.")
    return locked


class _HoldFacts(TypedDict):
    hold: UUID
    uri: str
    version_id: str


def _facts(hold: LegalHold) -> _HoldFacts:
    return {"hold": hold.pk, "uri": hold.reference.uri, "version_id": hold.reference.version_id}


def _record(entry: HoldEntry, hold: LegalHold, actor: Actor) -> None:
    record(entry, subject=SubjectRef("worm", str(hold.reference_id)), actor=actor)
