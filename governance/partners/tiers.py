"""Use cases about tiers. Each change is recorded with the tier before and after."""

from dataclasses import asdict

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.partners.entries import TIER, TierChanged, TierCreated, TierDeleted
from governance.partners.errors import TierInUse, TierInvalid
from governance.partners.models import Tier
from governance.partners.types import ImageLimits

NO_IMAGE_LIMITS = ImageLimits()


@transaction.atomic
def create_tier(
    *,
    slug: str,
    name: str,
    requests_per_minute: int,
    max_open_jobs: int,
    images: ImageLimits = NO_IMAGE_LIMITS,
    actor: Actor,
) -> Tier:
    """Create a tier. Raises TierInvalid, also for a slug that is taken."""
    limits = {"requests_per_minute": requests_per_minute, "max_open_jobs": max_open_jobs, **asdict(images)}
    tier = Tier(slug=slug, name=name, **limits)
    _save_checked(tier)
    record(TierCreated(before=None, after=TIER.state(tier)), subject=TIER.ref(tier), actor=actor)
    return tier


@transaction.atomic
def change_tier(
    *,
    tier: Tier,
    name: str,
    requests_per_minute: int,
    max_open_jobs: int,
    images: ImageLimits | None = None,
    actor: Actor,
    seen: State | None = None,
) -> Tier:
    """Change a tier's name and limits, effective from the next request on, and return it.

    Without `images` the limits of images stay. `seen` is the state that the change was prepared from, None to change it
    as it is. Raises TierInvalid, ChangedMeanwhile.
    """
    changed, before = lock_unchanged(TIER, tier, seen=seen)
    changed.name, changed.requests_per_minute, changed.max_open_jobs = name, requests_per_minute, max_open_jobs
    for limit, value in asdict(images).items() if images else ():
        setattr(changed, limit, value)
    after = TIER.state(changed)
    if after != before:
        _save_checked(changed)
        record(TierChanged(before=before, after=after), subject=TIER.ref(changed), actor=actor)
    return changed


@transaction.atomic
def delete_tier(*, tier: Tier, actor: Actor, seen: State | None = None) -> None:
    """Delete a tier that no partner has. Raises TierInUse, ChangedMeanwhile."""
    gone, before = lock_unchanged(TIER, tier, seen=seen)
    ref = TIER.ref(gone)
    try:
        gone.delete()
    except ProtectedError as error:
        raise TierInUse(f"Partners have the tier {gone.slug}; move them to another tier first.") from error
    record(TierDeleted(before=before, after=None), subject=ref, actor=actor)


def _save_checked(tier: Tier) -> None:
    try:
        tier.full_clean()
    except ValidationError as error:
        raise TierInvalid("The tier is not valid.", details={"fields": error.message_dict}) from error
    tier.save()
