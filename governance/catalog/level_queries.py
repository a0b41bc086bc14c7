"""Reading what later versions of consent levels did to what creators had granted."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q

from governance.catalog.models import ConsentGrant, ConsentLevelVersion, Creator


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A version of a consent level took uses from what a creator had granted at an earlier one."""

    version: ConsentLevelVersion
    granted: ConsentLevelVersion
    lost: tuple[str, ...]

    @property
    def at(self) -> datetime:
        """When the version came into force, and the uses were lost."""
        return self.version.created_at


def narrowings_of(creator: Creator) -> list[Narrowing]:
    """Return what later versions took from grants of a creator that were in effect then, newest first."""
    granted = ConsentLevelVersion.objects.filter(
        ~Q(effective=F("pairs")), Exists(ConsentGrant.objects.filter(creator=creator, level_version=OuterRef("pk")))
    )
    found = [each for version in granted for each in _narrowings_of_version(version)]
    return sorted((each for each in found if _mattered(creator, each)), key=lambda each: each.at, reverse=True)


def _narrowings_of_version(granted: ConsentLevelVersion) -> list[Narrowing]:
    later = ConsentLevelVersion.objects.filter(level=granted.level_id, number__gt=granted.number)
    left, found = list(granted.pairs), []
    for version in later.select_related("level", "proposal").order_by("number"):
        lost = tuple(pair for pair in left if pair not in version.pairs)
        if lost:
            found.append(Narrowing(version=version, granted=granted, lost=lost))
        left = [pair for pair in left if pair in version.pairs]
    return found


def _mattered(creator: Creator, narrowing: Narrowing) -> bool:
    """Return whether a grant of the version was the newest statement about something when it was narrowed."""
    before = ConsentGrant.objects.filter(creator=creator, created_at__lt=narrowing.at)
    newer = before.filter(epoch__gt=OuterRef("epoch"))
    superseded = Exists(newer.filter(asset=OuterRef("asset"))) | (Q(asset=None) & Exists(newer.filter(asset=None)))
    return before.filter(level_version=narrowing.granted).filter(~superseded).exists()
