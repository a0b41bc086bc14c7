"""How long objects in WORM storage are kept: retention classes, and the class that applies to an object."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from governance.audit.choices import WormKind
from governance.audit.models import RetentionClass

#: The longest retention that stores accept (Amazon S3 Object Lock: 100 years). "For ever" is this, renewed by scrubs.
FOREVER_DAYS = 36_500
#: An object kept for ever is renewed once this many days of its hundred years have passed.
ROLLED_ON_AFTER_DAYS = 365
POLICY_DAYS = 3653


@dataclass(frozen=True, slots=True)
class Retention:
    """The class that applies to an object: its slug and days, None for ever."""

    slug: str
    days: int | None

    def until(self, stored_at: datetime) -> datetime:
        """Return the end of retention of an object stored at `stored_at`."""
        return stored_at + timedelta(days=FOREVER_DAYS if self.days is None else self.days)

    def due(self, *, stored_at: datetime, retain_until: datetime, now: datetime) -> datetime:
        """Return the current end of retention of a stored object: its own date or a later one."""
        if self.days is not None:
            return max(retain_until, self.until(stored_at))
        if retain_until > now + timedelta(days=FOREVER_DAYS - ROLLED_ON_AFTER_DAYS):
            return retain_until
        return self.until(now)


def built_in(kind: WormKind) -> Retention:
    """Return the default for `kind`."""
    days: dict[WormKind, int | None] = {
        WormKind.EVIDENCE: settings.ASSENT_EVIDENCE_RETENTION_DAYS,
        WormKind.POLICY: POLICY_DAYS,
        WormKind.CHECKPOINT: None,
    }
    return Retention(slug=kind.value, days=days[kind])


def retention_for(*, kind: WormKind, partner: str = "", region: str = "") -> Retention:
    """Return the retention of a new object: the class of its partner and region, of its partner, its region, or all.

    The narrowest class applies, whether longer or shorter than the others: a contract overrides general rules.
    `partner` is a slug, `region` a region code; both are empty where an object belongs to none.
    """
    classes = RetentionClass.objects.filter(kind=kind, partner__in={"", partner}, region__in={"", region})
    narrowest = max(classes, key=lambda each: (bool(each.partner), bool(each.region)), default=None)
    return built_in(kind) if narrowest is None else Retention(slug=narrowest.slug, days=narrowest.days)


def retention_called(slug: str, *, kind: WormKind) -> Retention:
    """Return the current class with this slug, or the general one if it was removed or the slug is empty."""
    found = RetentionClass.objects.filter(slug=slug, kind=kind).first()
    return retention_for(kind=kind) if found is None else Retention(slug=found.slug, days=found.days)
