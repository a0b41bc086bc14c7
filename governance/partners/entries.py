"""Kinds of ledger entries of the partners area. Tiers and partners are known by slugs, never by names of people."""

from governance.audit.recording.declarations import entry
from governance.audit.recording.states import RecordedObject, State, StateEntry, recorded_object
from governance.partners.models import Tier


def tier_state(tier: Tier) -> State:
    """Return all that the ledger says of a tier."""
    return {
        "slug": tier.slug,
        "name": tier.name,
        "requests_per_minute": tier.requests_per_minute,
        "max_open_jobs": tier.max_open_jobs,
    }


TIER = recorded_object(
    RecordedObject(
        subject="tier",
        noun="tier",
        rows=Tier.objects.all,
        key=lambda tier: str(tier.pk),
        slug=lambda tier: tier.slug,
        state=tier_state,
    )
)


@entry("tier.created", subject="tier")
class TierCreated(StateEntry):
    """A tier was made. Before version 0.2 it has `fields` alone, the names of the fields that were filled in."""


@entry("tier.changed", subject="tier")
class TierChanged(StateEntry):
    """A tier's name or limits were changed. Before version 0.2 it has `fields` alone, the names of changed fields."""


@entry("tier.deleted", subject="tier")
class TierDeleted(StateEntry):
    """A tier that no partner had was deleted. Before version 0.2 it says nothing beside that."""
