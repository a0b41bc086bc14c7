"""What the file of a work holds: on record for new works, and read once for those of before."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from governance.audit.models import OutboxEntry
from governance.audit.recording.record import record
from governance.audit.recording.state_checks import state_faults
from governance.audit.tally import Tally
from governance.audit.types import Actor
from governance.catalog.entries import AssetAdopted
from governance.catalog.measuring import measure_asset
from governance.catalog.models import Asset
from governance.catalog.states import ASSETS
from tests.factories.catalog import CreatorFactory, stored_asset
from tests.factories.images import encoded, image_bytes, noise
from tests.factories.pictures import exif_with, gain_map

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("object_root")]

OPERATOR = Actor("user", "command-line")
TURNED = encoded(noise(40, 30), "JPEG", exif=exif_with(orientation=6, artist="Ada Lovelace", place="N"))


def work(data: bytes = TURNED) -> Asset:
    return stored_asset(creator=CreatorFactory(), data=data)


def work_of_before(data: bytes = TURNED) -> Asset:
    """Return a work as version 0.2 stored it: with the size of the stored pixels, and nothing else about its file."""
    stored = work(data)
    columns = ["creator", "title", "media_type", "size", "sha256", "object_name", "uploaded_by_type", "uploaded_by_id"]
    asset = Asset.objects.create(width=40, height=30, **{name: getattr(stored, name) for name in columns})
    entry = AssetAdopted(before=None, after=ASSETS.state(asset))
    record(entry, subject=ASSETS.ref(asset), actor=Actor("system", "upgrade"))
    return asset


def entries(kind: str, asset: Asset) -> list[dict]:
    found = OutboxEntry.objects.filter(kind=kind, subject_id=str(asset.pk)).order_by("id")
    return [json.loads(bytes(entry.body)) for entry in found]


def test_a_new_work_has_the_size_that_people_see_and_what_else_its_file_holds() -> None:
    behind = gain_map()

    asset = Asset.objects.get(pk=work(TURNED + behind).pk)

    assert (asset.width, asset.height) == (30, 40)
    assert asset.left_out == [{"kind": "gain_map", "bytes": len(behind)}]
    assert asset.metadata_kinds == ["author", "exif", "place"]
    [entry] = entries("asset.registered", asset)
    assert (entry["data"]["width"], entry["data"]["height"]) == (30, 40)
    assert entry["data"]["after"]["left_out"] == [f"gain_map: {len(behind)} bytes"]
    assert "Lovelace" not in json.dumps(entry)


@pytest.mark.parametrize(
    "change", [{"width": 40}, {"height": 1}, {"left_out": [{"kind": "video", "bytes": 1}]}, {"metadata_kinds": None}]
)
def test_what_was_measured_never_changes(change: dict) -> None:
    asset = work()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Asset.objects.filter(pk=asset.pk).update(**change)


def test_a_work_of_before_is_measured_once() -> None:
    old = work_of_before()
    before = ASSETS.state(old)

    measured = measure_asset(asset=old, actor=OPERATOR)
    again = measure_asset(asset=measured, actor=OPERATOR)

    assert (measured.width, measured.height, measured.metadata_kinds) == (30, 40, ["author", "exif", "place"])
    assert again == measured
    [entry] = entries("asset.measured", old)
    assert entry["data"] == {"before": before, "after": ASSETS.state(measured)}
    assert "width" not in before
    assert [fault for fault in state_faults(Tally()) if str(old.pk) in fault.subject] == []


def run() -> dict[str, int]:
    out = StringIO()
    call_command("works", "measure", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def test_the_command_measures_every_work_of_before_and_goes_on_after_a_failure(object_root: Path) -> None:
    work_of_before()
    work_of_before(image_bytes(width=40, height=30))
    lost = work_of_before(image_bytes(seed=9, width=40, height=30))
    (object_root / lost.object_name).unlink()

    assert run() == {"measured": 2, "turned": 1, "failed": 1}
    assert run() == {"measured": 0, "turned": 0, "failed": 1}
