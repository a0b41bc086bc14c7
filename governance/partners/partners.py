"""Use cases about partners, each with its own kind of ledger entry that holds the partner before and after.

A partner's slug never changes: policies, licences, consent and the ledger refer to it.
"""

from django.core.exceptions import ValidationError
from django.db import transaction

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State, StateEntry
from governance.audit.types import Actor
from governance.partners.choices import PartnerStatus
from governance.partners.entries import (
    PARTNER,
    PartnerCreated,
    PartnerMoved,
    PartnerRegionChanged,
    PartnerReinstatement,
    PartnerRenamed,
    PartnerSuspension,
)
from governance.partners.errors import PartnerInvalid, PartnerStatusConflict
from governance.partners.models import Partner, Tier


@transaction.atomic
def create_partner(*, slug: str, name: str, tier: Tier, region: str, actor: Actor) -> Partner:
    """Add a partner, active. Raises PartnerInvalid, also for a slug that is taken."""
    partner = Partner(slug=slug, name=name, tier=tier, region=region)
    _check(partner)
    partner.save()
    record(PartnerCreated(before=None, after=PARTNER.state(partner)), subject=PARTNER.ref(partner), actor=actor)
    return partner


@transaction.atomic
def rename_partner(*, partner: Partner, name: str, actor: Actor, seen: State | None = None) -> Partner:
    """Rename a partner. `seen` is as for `lock_unchanged`. Raises PartnerInvalid, ChangedMeanwhile."""
    locked, before = lock_unchanged(PARTNER, partner, seen=seen)
    locked.name = name
    return _write(locked, "name", before, PartnerRenamed, actor)


@transaction.atomic
def move_partner(*, partner: Partner, tier: Tier, actor: Actor, seen: State | None = None) -> Partner:
    """Move a partner to another tier, whose limits hold from the next request on. Raises ChangedMeanwhile."""
    locked, before = lock_unchanged(PARTNER, partner, seen=seen)
    locked.tier = tier
    return _write(locked, "tier", before, PartnerMoved, actor)


@transaction.atomic
def change_region(*, partner: Partner, region: str, actor: Actor, seen: State | None = None) -> Partner:
    """Change the region of a partner. Consent and licences apply it from the next decision on.

    Raises PartnerInvalid, ChangedMeanwhile.
    """
    locked, before = lock_unchanged(PARTNER, partner, seen=seen)
    locked.region = region
    return _write(locked, "region", before, PartnerRegionChanged, actor)


@transaction.atomic
def suspend_partner(*, partner: Partner, reason: str, actor: Actor, seen: State | None = None) -> Partner:
    """Deny a partner everything from the next request and the next decision on. `reason` is a code.

    Its tokens are refused while it is suspended, and what it asked for ends as cancelled, unless its release was
    decided before. Raises PartnerStatusConflict for a partner that is suspended already, ChangedMeanwhile.
    """
    locked, before = lock_unchanged(PARTNER, partner, seen=seen)
    _set_status(locked, PartnerStatus.SUSPENDED)
    after = PARTNER.state(locked)
    record(PartnerSuspension(before=before, after=after, reason=reason), subject=PARTNER.ref(locked), actor=actor)
    return locked


@transaction.atomic
def reinstate_partner(*, partner: Partner, reason: str, actor: Actor, seen: State | None = None) -> Partner:
    """Make a suspended partner active again; tokens that have not expired work again. `reason` is a code.

    Raises PartnerStatusConflict for a partner that is active, ChangedMeanwhile.
    """
    locked, before = lock_unchanged(PARTNER, partner, seen=seen)
    _set_status(locked, PartnerStatus.ACTIVE)
    after = PARTNER.state(locked)
    record(PartnerReinstatement(before=before, after=after, reason=reason), subject=PARTNER.ref(locked), actor=actor)
    return locked


def _write(partner: Partner, column: str, before: State, kind: type[StateEntry], actor: Actor) -> Partner:
    """Save one column and record the change; an unchanged value is not recorded."""
    _check(partner)
    after = PARTNER.state(partner)
    if after != before:
        partner.save(update_fields=[column])
        record(kind(before=before, after=after), subject=PARTNER.ref(partner), actor=actor)
    return partner


def _set_status(partner: Partner, status: PartnerStatus) -> None:
    if partner.status == status:
        raise PartnerStatusConflict(f"The partner {partner.slug} is {status.label.lower()} already.")
    partner.status = status
    partner.save(update_fields=["status"])


def _check(partner: Partner) -> None:
    try:
        partner.full_clean()
    except ValidationError as error:
        raise PartnerInvalid("The partner is not valid.", details={"fields": error.message_dict}) from error
