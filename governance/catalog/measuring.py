"""What the file of a work holds, read as people see it: for new works, and once for those from before version 0.3."""

from django.db import transaction

from governance.audit.recording.locking import lock_unchanged
from governance.audit.recording.record import record
from governance.audit.types import Actor
from governance.catalog.entries import AssetMeasured
from governance.catalog.models import Asset
from governance.catalog.objects import read_verified
from governance.catalog.states import ASSETS
from governance.kernel.canonical import Json
from governance.pictures.decoding import read_facts
from governance.pictures.limits import STORED_LIMITS
from governance.pictures.types import Facts


def found_in(facts: Facts) -> dict[str, object]:
    """Return the columns of a work that say what its file holds."""
    left_out: list[Json] = [{"kind": each.kind.value, "bytes": each.size} for each in facts.left_out]
    return {
        "width": facts.width,
        "height": facts.height,
        "left_out": left_out,
        "metadata_kinds": [kind.value for kind in facts.metadata],
    }


def measure_asset(*, asset: Asset, actor: Actor) -> Asset:
    """Read size, metadata and what was left out of a work that has not been measured yet, and return it.

    Raises ObjectMissing, ObjectAltered, ObjectStoreUnavailable, and PictureRefused for a file that is not accepted now.
    """
    if asset.metadata_kinds is not None:
        return asset
    found = found_in(read_facts(read_verified(asset.object_name, asset.sha256), STORED_LIMITS))
    with transaction.atomic():
        current, before = lock_unchanged(ASSETS, asset, seen=None)
        if current.metadata_kinds is None:
            for name, value in found.items():
                setattr(current, name, value)
            current.save(update_fields=[*found])
            current = ASSETS.rows().get(pk=asset.pk)
            entry = AssetMeasured(before=before, after=ASSETS.state(current))
            record(entry, subject=ASSETS.ref(current), actor=actor)
    return current
