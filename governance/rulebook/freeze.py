"""The policy freeze: one person denies everything at once; two people together lift the freeze."""

from django.db import IntegrityError, transaction

from governance.audit.recording.declarations import Entry
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import sha256_hex
from governance.rulebook.entries import FreezeLiftAsked, FreezeLifted, FreezeLiftWithdrawn, FreezeStarted
from governance.rulebook.errors import FreezeConflict
from governance.rulebook.models import PolicyFreeze


def freeze_policy(*, actor: Actor, reason: str) -> PolicyFreeze:
    """Deny everything from the next decision on, in every process. Raises FreezeConflict when it is frozen already."""
    try:
        with transaction.atomic():
            freeze = PolicyFreeze.objects.create(reason=reason, frozen_by=str(actor), frozen_at=clock.now())
            _record(FreezeStarted(reason_sha256=sha256_hex(reason.encode())), freeze, actor)
    except IntegrityError as error:
        raise FreezeConflict("The policy is frozen already.") from error
    return freeze


@transaction.atomic
def lift_freeze(*, freeze: PolicyFreeze, actor: Actor) -> PolicyFreeze:
    """Ask for the freeze to be lifted, or lift it when somebody else has asked; return it as it is then.

    Raises FreezeConflict when it is lifted already, when the one who asked asks again, and for anybody but a person.
    """
    if actor.type != "user":
        raise FreezeConflict("Only people lift a freeze.")
    locked = PolicyFreeze.objects.select_for_update().get(pk=freeze.pk)
    person, now = str(actor), clock.now()
    if not locked.active:
        raise FreezeConflict("This freeze is lifted already.")
    if locked.lift_asked_by == person:
        raise FreezeConflict("You asked for this already; a second person must agree.")
    if not locked.lift_asked_by:
        locked.lift_asked_by, locked.lift_asked_at = person, now
        _record(FreezeLiftAsked(), locked, actor)
    else:
        locked.active, locked.lifted_by, locked.lifted_at = False, person, now
        _record(FreezeLifted(asked_by=locked.lift_asked_by), locked, actor)
    locked.save()
    return locked


@transaction.atomic
def withdraw_lift(*, freeze: PolicyFreeze, actor: Actor) -> PolicyFreeze:
    """Withdraw the request to lift the freeze. Raises FreezeConflict when nobody has."""
    locked = PolicyFreeze.objects.select_for_update().get(pk=freeze.pk)
    if not locked.active or not locked.lift_asked_by:
        raise FreezeConflict("Nobody asks for this freeze to be lifted.")
    locked.lift_asked_by, locked.lift_asked_at = "", None
    locked.save()
    _record(FreezeLiftWithdrawn(), locked, actor)
    return locked


def _record(entry: Entry, freeze: PolicyFreeze, actor: Actor) -> None:
    record(entry, subject=SubjectRef("freeze", str(freeze.pk)), actor=actor)
