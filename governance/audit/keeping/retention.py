"""How long what is written to WORM storage is kept: retention classes, and which of them an object falls under."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from governance.audit.choices import WormKind
from governance.audit.models import RetentionClass

#: The longest that stores take (Amazon S3 Object Lock ends at 100 years); "for ever" is this, rolled on by scrubs.
FOREVER_DAYS = 36_500
#: An object kept for ever gets its hundred years again once this many days of them are over.
ROLLED_ON_AFTER_DAYS = 365
POLICY_DAYS = 3653


@dataclass(frozen=True, slots=True)
class Retention:
    """What an object falls under: the slug of a class and its days, None for ever."""

    slug: str
    days: int | None

    def until(self, stored_at: datetime) -> datetime:
        """Return until when an object stored at `stored_at` is to be kept."""
        return stored_at + timedelta(days=FOREVER_DAYS if self.days is None else self.days)

    def due(self, *, stored_at: datetime, retain_until: datetime, now: datetime) -> datetime:
        """Return until when a stored object is to be kept by now: its own date or a later one, never an earlier."""
        if self.days is not None:
            return max(retain_until, self.until(stored_at))
        if retain_until > now + timedelta(days=FOREVER_DAYS - ROLLED_ON_AFTER_DAYS):
            return retain_until
        return self.until(now)


def built_in(kind: WormKind) -> Retention:
    """Return what counts for `kind` where no class says otherwise."""
    days: dict[WormKind, int | None] = {
        WormKind.EVIDENCE: settings.ASSENT_EVIDENCE_RETENTION_DAYS,
        WormKind.POLICY: POLICY_DAYS,
        WormKind.CHECKPOINT: None,
    }
    return Retention(slug=kind.value, days=days[kind])


def retention_for(*, kind: WormKind, partner: str = "", region: str = "") -> Retention:
    """Return the retention of a new object: the class of its partner and region, of its partner, its region, or all.

    The narrowest class counts, whether it is longer or shorter than the others: a contract says how long, not the
    strictest of all. `partner` is a slug, `region` a region code; empty where an object belongs to none.
    """
    classes = RetentionClass.objects.filter(kind=kind, partner__in={"", partner}, region__in={"", region})
    narrowest = max(classes, key=lambda each: (bool(each.partner), bool(each.region)), default=None)
    return built_in(kind) if narrowest is None else Retention(slug=narrowest.slug, days=narrowest.days)


def retention_called(slug: str, *, kind: WormKind) -> Retention:
    """Return a class by its slug as it is now; the general one where it was removed since, or never had a name."""
    found = RetentionClass.objects.filter(slug=slug, kind=kind).first()
    return retention_for(kind=kind) if found is None else Retention(slug=found.slug, days=found.days)
