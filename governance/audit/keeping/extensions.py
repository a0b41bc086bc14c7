"""Longer retention: changing retention classes and extending objects."""

from datetime import datetime

from django.db import IntegrityError, transaction

from governance.audit.choices import WormKind
from governance.audit.entries import (
    RETENTION,
    ObjectExtended,
    RetentionAdded,
    RetentionChanged,
    RetentionEntry,
    RetentionRemoved,
    retention_state,
)
from governance.audit.errors import RetentionClassInvalid
from governance.audit.keeping.worm import kept_until
from governance.audit.models import RetentionClass, WormReference
from governance.audit.ports import worm_store
from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock


def add_retention_class(
    *, slug: str, name: str, kind: WormKind, partner: str, region: str, days: int | None, actor: Actor
) -> RetentionClass:
    """Create a class for objects stored from now on; `days` None means for ever.

    Raises RetentionClassInvalid when its scope or slug is taken, and for a scope that no object of its kind can have.
    """
    if kind != WormKind.EVIDENCE and (partner or region):
        raise RetentionClassInvalid("Only evidence belongs to a partner or a region.")
    try:
        with transaction.atomic():
            row = RetentionClass.objects.create(
                slug=slug, name=name, kind=kind, partner=partner, region=region, days=days, updated_at=clock.now()
            )
            _record(RetentionAdded.of(row, before=None, after=retention_state(row)), row, actor)
    except IntegrityError as error:
        raise RetentionClassInvalid("There is a class for this kind, partner and region already.") from error
    return row


@transaction.atomic
def change_retention_class(
    *, row: RetentionClass, name: str, days: int | None, actor: Actor, seen: State | None = None
) -> RetentionClass:
    """Change how long a class keeps objects; `days` None means for ever. Its scope does not change.

    Stored objects are kept at least as long as before: the next scrub applies a longer retention to them, and never a
    shorter one. `seen` is the state that the change was prepared from, None to change it as it is. Raises
    ChangedMeanwhile.
    """
    locked, before = lock_unchanged(RETENTION, row, seen=seen)
    locked.name, locked.days, locked.updated_at = name, days, clock.now()
    locked.save()
    _record(RetentionChanged.of(locked, before=before, after=retention_state(locked)), locked, actor)
    return locked


@transaction.atomic
def remove_retention_class(*, row: RetentionClass, actor: Actor) -> None:
    """Remove the class of a contract or a region: from then on the general one applies.

    Raises RetentionClassInvalid for a general class, which is always needed, ChangedMeanwhile when it is gone already.
    """
    if not row.partner and not row.region:
        raise RetentionClassInvalid("The general class of a kind cannot be removed; change its days instead.")
    locked, before = lock_unchanged(RETENTION, row, seen=None)
    _record(RetentionRemoved.of(locked, before=before, after=None), locked, actor)
    locked.delete()


@transaction.atomic
def extend_object(*, reference: WormReference, until: datetime, actor: Actor) -> WormReference:
    """Keep an object until a later date, in the store and in the database; return its reference.

    Raises WormRetentionInvalid for a date earlier than promised, and what WormStore.extend raises.
    """
    extended = roll_on(reference=reference, until=until)
    subject = SubjectRef("worm", str(extended.pk))
    record(ObjectExtended.of(extended), subject=subject, actor=actor)
    return extended


@transaction.atomic
def roll_on(*, reference: WormReference, until: datetime) -> WormReference:
    """Renew the date of an object that is kept for ever; return its reference. Raises as `extend_object`.

    No entry is recorded, because the promise does not change and there may be millions of such objects.
    """
    locked = WormReference.objects.select_for_update(of=("self",)).get(pk=reference.pk)
    stored = worm_store.get().extend(uri=locked.uri, version_id=locked.version_id, retain_until=until)
    return kept_until(locked, stored.retain_until)


def _record(entry: RetentionEntry, row: RetentionClass, actor: Actor) -> None:
    record(entry, subject=RETENTION.ref(row), actor=actor)
