"""Works: taking them in, changing what is said of them, quarantine. Each change is on record with both states."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from pytest_django import Settings

from governance.audit.errors import ChangedMeanwhile
from governance.audit.evidence.commitments import open_commitment
from governance.audit.models import OutboxEntry
from governance.audit.types import Actor, SubjectRef
from governance.catalog import works
from governance.catalog.creators import suspend_creator
from governance.catalog.errors import AssetInvalid, DatasetInvalid, UploadTooLarge
from governance.catalog.models import Asset, Dataset
from governance.catalog.objects import read_verified
from governance.catalog.services import record_withdrawal
from governance.catalog.states import ASSETS
from governance.catalog.types import IncomingFile
from governance.pictures.errors import PictureRefused
from tests.factories.catalog import ACTOR, AssetFactory, ConsentGrantFactory, CreatorFactory, DatasetFactory
from tests.factories.images import image_bytes

pytestmark = pytest.mark.django_db


def recorded(kind: str) -> list[dict[str, Any]]:
    """Return the ledger entries of a kind, as they were written."""
    return [json.loads(bytes(entry.body)) for entry in OutboxEntry.objects.filter(kind=kind).order_by("id")]


def upload(data: bytes, *, filename: str = "dunes.exe", **said: Any) -> Asset:
    sound = {
        "title": "Dunes",
        "file": IncomingFile(io.BytesIO(data), filename),
        "uploaded_by": SubjectRef("partner", "42"),
        "dataset": None,
        "actor": Actor("client", "app"),
    }
    return works.register_asset(**sound | {"creator": said.get("creator") or CreatorFactory()} | said)


def files_under(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_an_upload_becomes_an_asset_with_its_bytes_in_storage(object_root: Path) -> None:
    data, dataset = image_bytes("JPEG", width=40, height=30), DatasetFactory()

    asset = upload(data, dataset=dataset)

    kept = Asset.objects.get()
    assert kept == asset
    assert (kept.title, kept.media_type, kept.size) == ("Dunes", "image/jpeg", len(data))
    assert (kept.width, kept.height, kept.dataset) == (40, 30, dataset)
    assert (kept.uploaded_by_type, kept.uploaded_by_id) == ("partner", "42")
    assert read_verified(kept.object_name, kept.sha256) == data


def test_an_upload_is_in_the_ledger_without_its_title() -> None:
    asset = upload(image_bytes(seed=1), title="Self-portrait of Ada")

    [entry] = recorded("asset.registered")
    assert entry["subject"] == {"type": "asset", "id": str(asset.id)}
    assert entry["actor"] == {"type": "client", "id": "app"}
    assert entry["data"]["sha256"] == asset.sha256
    assert entry["data"]["before"] is None
    assert entry["data"]["after"] == ASSETS.state(asset)
    assert "Ada" not in json.dumps(entry)


def test_without_a_title_the_name_of_the_file_is_one() -> None:
    assert upload(image_bytes(), title=" ", filename="/home/ada/dunes.png").title == "dunes.png"


@pytest.mark.parametrize("title", ["x" * 201, "two\nlines", "nul\0"])
def test_a_title_that_cannot_be_shown_is_refused_before_anything_is_read(title: str, object_root: Path) -> None:
    with pytest.raises(AssetInvalid) as refusal:
        upload(image_bytes(), title=title)

    assert refusal.value.details == {"field": "title"}
    assert not object_root.exists()


def too_many_bytes(settings: Settings) -> None:
    settings.ASSENT_MAX_UPLOAD_BYTES = 100


def too_many_pixels(settings: Settings) -> None:
    settings.ASSENT_MAX_PIXELS = 100


def no_limit(settings: Settings) -> None:
    pass


@pytest.mark.parametrize(
    ("data", "limit", "code"),
    [
        (image_bytes(), too_many_bytes, "upload_too_large"),
        (image_bytes(), too_many_pixels, "image_too_large"),
        (image_bytes("GIF"), no_limit, "media_type_unsupported"),
        (image_bytes()[:-20], no_limit, "media_undecodable"),
        (b"", no_limit, "media_type_unsupported"),
    ],
)
def test_a_refused_upload_leaves_nothing(
    data: bytes, limit: Callable[[Settings], None], code: str, settings: Settings, object_root: Path
) -> None:
    limit(settings)

    with pytest.raises((UploadTooLarge, PictureRefused)) as refusal:
        upload(data)

    assert refusal.value.error_code == code
    assert refusal.value.details["field"] == "file"
    assert files_under(object_root) == []
    assert (Asset.objects.count(), OutboxEntry.objects.count()) == (0, 0)


def test_the_same_picture_twice_is_two_assets_and_one_object(object_root: Path) -> None:
    creator = CreatorFactory()
    first, second = upload(image_bytes(), creator=creator), upload(image_bytes(), creator=creator)

    assert first.id != second.id
    assert first.object_name == second.object_name
    assert files_under(object_root) == [object_root / first.object_name]


def test_no_entry_of_the_catalogue_names_a_person() -> None:
    creator = CreatorFactory(display_name="Ada Lovelace", email="ada@example.com")
    asset = upload(image_bytes(), creator=creator, title="Ada's garden", filename="ada.png")
    ConsentGrantFactory(creator=creator, asset=asset)
    record_withdrawal(creator=creator, asset=None, everything=True, method="email", actor=ACTOR)
    suspend_creator(creator=creator, reason="Ada Lovelace asked for it.", actor=ACTOR)
    works.quarantine_asset(asset=asset, reason="Ada Lovelace asked for it.", actor=ACTOR)

    told = b" ".join(bytes(entry.body) for entry in OutboxEntry.objects.all()).decode().lower()

    assert OutboxEntry.objects.count() == 6
    assert "lovelace" not in told
    assert "ada" not in told.replace("data", "")


def change(asset: Asset, **said: Any) -> Asset:
    sound = {"title": asset.title, "tags": asset.tags, "dataset": asset.dataset, "actor": ACTOR}
    return works.change_asset(**sound | {"asset": asset} | said)


def test_a_change_is_on_record_with_both_states_and_a_commitment_to_the_title() -> None:
    asset, dataset = upload(image_bytes(), title="Dunes"), DatasetFactory()
    before = ASSETS.state(asset)

    changed = change(asset, title="Ada's dunes", tags=["sand", " sand", "sea"], dataset=dataset)

    kept = Asset.objects.get()
    assert (kept.title, kept.tags, kept.dataset) == ("Ada's dunes", ["sand", "sea"], dataset)
    [entry] = recorded("asset.changed")
    assert entry["data"] == {"before": before, "after": ASSETS.state(changed)}
    after = entry["data"]["after"]
    assert (after["tags"], after["dataset"]) == (["sand", "sea"], str(dataset.id))
    assert after["title"] != before["title"]
    assert open_commitment(
        subject=ASSETS.ref(kept), name="title", value=kept.title, commitment=after["title"]["commitment"]
    )
    assert "Ada" not in json.dumps(entry)


def test_a_title_that_stays_keeps_its_commitment() -> None:
    asset = upload(image_bytes())

    change(asset, tags=["sand"])

    [entry] = recorded("asset.changed")
    assert entry["data"]["after"]["title"] == entry["data"]["before"]["title"]


def test_a_change_to_what_is_there_is_not_recorded() -> None:
    change(upload(image_bytes()))

    assert recorded("asset.changed") == []


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("title", {"title": " "}),
        ("title", {"title": "x" * 201}),
        ("tags", {"tags": ["x" * 51]}),
        ("tags", {"tags": [""]}),
        ("tags", {"tags": [str(number) for number in range(51)]}),
    ],
)
def test_a_change_that_cannot_be_names_the_field(field: str, said: dict[str, Any]) -> None:
    asset = AssetFactory()

    with pytest.raises(AssetInvalid) as refusal:
        change(asset, **said)

    assert refusal.value.details == {"field": field}
    assert recorded("asset.changed") == []


def test_a_change_prepared_from_an_older_state_is_refused() -> None:
    asset = upload(image_bytes())
    seen = ASSETS.state(asset)
    change(asset, title="Sea")

    with pytest.raises(ChangedMeanwhile) as refusal:
        change(asset, tags=["sand"], seen=seen)

    assert list(refusal.value.details["changes"]) == ["title"]
    assert Asset.objects.get().tags == []


def test_a_work_goes_into_no_dataset_that_no_longer_exists() -> None:
    asset, dataset = AssetFactory(), DatasetFactory()
    Dataset.objects.all().delete()

    with pytest.raises(DatasetInvalid) as refusal:
        change(asset, dataset=dataset)

    assert refusal.value.details == {"field": "dataset"}


def test_a_work_of_an_erased_creator_is_not_changed() -> None:
    creator = CreatorFactory(
        display_name="Erased creator", email="", status="suspended", erased_at="2026-01-01T00:00:00Z"
    )

    with pytest.raises(AssetInvalid, match="erased"):
        change(AssetFactory(creator=creator), title="Ada")


def test_a_change_whose_entry_fails_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **_: object) -> None:
        raise IntegrityError

    asset = AssetFactory(title="Dunes")
    monkeypatch.setattr(works, "record", fail)

    with pytest.raises(IntegrityError):
        change(asset, title="Sea")
    with pytest.raises(IntegrityError):
        works.quarantine_asset(asset=asset, reason="A claim.", actor=ACTOR)

    kept = Asset.objects.get()
    assert (kept.title, kept.status) == ("Dunes", "active")


def test_quarantine_and_its_end_are_on_record_with_a_commitment_to_the_reason() -> None:
    asset = AssetFactory()

    entered = works.quarantine_asset(asset=asset, reason="Claimed by Ada.", actor=ACTOR)
    works.quarantine_asset(asset=asset, reason="Once more.", actor=ACTOR)
    released = works.end_quarantine(asset=asset, reason="Settled.", actor=ACTOR)

    assert (entered.status, entered.status_reason) == ("quarantined", "Claimed by Ada.")
    assert (released.status, released.status_reason) == ("active", "Settled.")
    first, second = recorded("asset.status_changed")
    assert (first["data"]["status"], first["data"]["sha256"]) == ("quarantined", asset.sha256)
    assert first["data"]["before"] == ASSETS.state(asset) | {"status_reason": None}
    assert second["data"]["before"] == first["data"]["after"]
    commitment = first["data"]["after"]["status_reason"]["commitment"]
    assert open_commitment(
        subject=ASSETS.ref(asset), name="status_reason", value="Claimed by Ada.", commitment=commitment
    )
    assert "Ada" not in json.dumps(first)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301, "two\nlines"])
def test_quarantine_needs_a_reason(reason: str) -> None:
    with pytest.raises(AssetInvalid) as refusal:
        works.quarantine_asset(asset=AssetFactory(), reason=reason, actor=ACTOR)

    assert refusal.value.details == {"field": "reason"}
    assert Asset.objects.get().status == "active"
