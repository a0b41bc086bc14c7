"""The policy freeze: one person denies everything at once; two people together lift the freeze."""

from django.db import IntegrityError, transaction

from governance.audit.recording.record import write_entry
from governance.audit.types import Actor, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import Json, sha256_hex
from governance.rulebook.errors import FreezeConflict
from governance.rulebook.models import PolicyFreeze


def freeze_policy(*, actor: Actor, reason: str) -> PolicyFreeze:
    """Deny everything from the next decision on, in every process. Raises FreezeConflict when it is frozen already."""
    try:
        with transaction.atomic():
            freeze = PolicyFreeze.objects.create(reason=reason, frozen_by=str(actor), frozen_at=clock.now())
            _record("policy.frozen", freeze, actor, reason_sha256=sha256_hex(reason.encode()))
    except IntegrityError as error:
        raise FreezeConflict("The policy is frozen already.") from error
    return freeze


@transaction.atomic
def lift_freeze(*, freeze: PolicyFreeze, actor: Actor) -> PolicyFreeze:
    """Ask for the freeze to be lifted, or lift it when somebody else has asked; return it as it is then.

    Raises FreezeConflict when it is lifted already, or when the one who asked asks again.
    """
    locked = PolicyFreeze.objects.select_for_update().get(pk=freeze.pk)
    person, now = str(actor), clock.now()
    if not locked.active:
        raise FreezeConflict("This freeze is lifted already.")
    if locked.lift_asked_by == person:
        raise FreezeConflict("You asked for this already; a second person must agree.")
    if not locked.lift_asked_by:
        locked.lift_asked_by, locked.lift_asked_at = person, now
        _record("policy.lift_asked", locked, actor)
    else:
        locked.active, locked.lifted_by, locked.lifted_at = False, person, now
        _record("policy.lifted", locked, actor, asked_by=locked.lift_asked_by)
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
    _record("policy.lift_withdrawn", locked, actor)
    return locked


def _record(kind: str, freeze: PolicyFreeze, actor: Actor, **data: Json) -> None:
    write_entry(kind=kind, subject=SubjectRef("freeze", str(freeze.pk)), actor=actor, data=data)
