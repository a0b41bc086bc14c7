import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from pytest_django import Settings

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor, SubjectRef
from governance.catalog import services
from governance.catalog.choices import AssetStatus, CreatorStatus, GrantKind
from governance.catalog.errors import (
    AssetClaimed,
    AssetInvalid,
    ConsentInvalid,
    ConsentLevelInvalid,
    MediaRefused,
    UploadTooLarge,
)
from governance.catalog.models import Asset, ConsentGrant, ConsentLevel, Creator
from governance.catalog.objects import read_verified
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from tests.factories.catalog import (
    ACTOR,
    INFER,
    TRAIN,
    AssetFactory,
    ConsentGrantFactory,
    ConsentLevelFactory,
    CreatorFactory,
    DatasetFactory,
)
from tests.factories.images import image_bytes
from tests.receipts import said_besides

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVIDENCE = hashlib.sha256(b"the signed form").hexdigest()


@pytest.fixture(autouse=True)
def still_time() -> None:
    with clock.using(ManualClock(NOW)):
        yield


def recorded(kind: str) -> list[dict[str, Any]]:
    """Return the ledger entries of a kind, as they were written."""
    entries = OutboxEntry.objects.filter(kind=kind).order_by("id")
    return [json.loads(bytes(entry.body)) for entry in entries]


def epoch_of(creator: Creator) -> int:
    return Creator.objects.get(id=creator.id).consent_epoch


def grant(creator: Creator, **said: Any) -> ConsentGrant:
    return services.record_grant(
        **{"creator": creator, "asset": None, "method": "signed_form", "actor": ACTOR}
        | ({"level": ConsentLevelFactory()} if "level" not in said else {})
        | said
    )


def test_a_grant_is_kept_with_its_terms_and_begins_an_epoch() -> None:
    creator, level = CreatorFactory(), ConsentLevelFactory()

    statement = grant(
        creator,
        level=level,
        regions=["US", "DE"],
        partners_allowed=["acme"],
        partners_excluded=["nova"],
        valid_until=NOW + timedelta(days=1),
        evidence_digest=EVIDENCE,
    )

    kept = ConsentGrant.objects.get()
    assert kept == statement
    assert (kept.kind, kept.level, kept.epoch) == (GrantKind.GRANT, level, 1)
    assert (kept.regions, kept.partners_allowed, kept.partners_excluded) == (["DE", "US"], ["acme"], ["nova"])
    assert (kept.valid_from, kept.valid_until, kept.created_at) == (NOW, NOW + timedelta(days=1), NOW)
    assert (kept.recorded_by_type, kept.recorded_by_id) == (ACTOR.type, ACTOR.id)
    assert epoch_of(creator) == creator.consent_epoch == 1


def test_a_grant_is_in_the_ledger_with_its_terms() -> None:
    asset = AssetFactory()

    statement = grant(asset.creator, asset=asset, regions=["EU"], valid_from=NOW, evidence_digest=EVIDENCE)

    [entry] = recorded("consent.granted")
    assert entry["subject"] == {"type": "creator", "id": str(asset.creator.id)}
    assert said_besides(entry) == {
        "statement": str(statement.id),
        "asset": str(asset.id),
        "level": statement.level.slug,
        "regions": ["EU"],
        "partners_allowed": [],
        "partners_excluded": [],
        "valid_from": "2026-03-01T12:00:00.000000Z",
        "valid_until": None,
        "method": "signed_form",
        "evidence_sha256": EVIDENCE,
        "epoch": 1,
    }


def test_a_withdrawal_is_in_the_ledger_and_begins_an_epoch() -> None:
    asset = AssetFactory()
    ConsentGrantFactory(creator=asset.creator, asset=asset)

    statement = services.record_withdrawal(
        creator=asset.creator, asset=asset, everything=False, method="email", actor=ACTOR
    )

    assert (statement.kind, statement.asset, statement.valid_from) == (GrantKind.WITHDRAWAL, asset, NOW)
    assert epoch_of(asset.creator) == statement.epoch == 2
    [entry] = recorded("consent.withdrawn")
    assert said_besides(entry) == {
        "statement": str(statement.id),
        "asset": str(asset.id),
        "method": "email",
        "epoch": 2,
        "everything": False,
        "statements": 1,
        "assets_sha256": hashlib.sha256(f'["{asset.id}"]'.encode()).hexdigest(),
    }


def test_withdrawing_everything_is_one_epoch_and_one_entry() -> None:
    creator = CreatorFactory()
    spoken_of, _ = AssetFactory.create_batch(2, creator=creator)
    ConsentGrantFactory(creator=creator, asset=spoken_of)
    ConsentGrantFactory(creator=creator, asset=spoken_of)

    statement = services.record_withdrawal(creator=creator, asset=None, everything=True, method="email", actor=ACTOR)

    withdrawals = ConsentGrant.objects.filter(kind=GrantKind.WITHDRAWAL, epoch=3)
    assert {each.asset for each in withdrawals} == {None, spoken_of}
    assert statement.asset is None
    [entry] = recorded("consent.withdrawn")
    assert (entry["data"]["everything"], entry["data"]["statements"]) == (True, 2)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("valid_until", {"valid_until": NOW}),
        ("regions", {"regions": ["Mordor"]}),
        ("partners_allowed", {"partners_allowed": ["!"]}),
        ("method", {"method": "rumour"}),
        ("evidence_digest", {"evidence_digest": "deadbeef"}),
        ("level", {"level": ConsentLevel(slug="never-saved")}),
    ],
)
def test_a_grant_that_makes_no_sense_names_the_field_and_leaves_nothing(field: str, said: dict[str, Any]) -> None:
    creator = CreatorFactory()

    with pytest.raises(ConsentInvalid) as refusal:
        grant(creator, **said)

    assert refusal.value.details == {"field": field}
    assert (epoch_of(creator), ConsentGrant.objects.count(), OutboxEntry.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("method", {"method": "rumour"}),
        ("everything", {"everything": True}),
        ("asset", {"creator": "another"}),
    ],
)
def test_a_withdrawal_that_makes_no_sense_names_the_field(field: str, said: dict[str, Any]) -> None:
    asset = AssetFactory()
    sound = {"creator": asset.creator, "asset": asset, "everything": False, "method": "email", "actor": ACTOR}
    creator = {"another": CreatorFactory(), None: asset.creator}[said.get("creator")]

    with pytest.raises(ConsentInvalid) as refusal:
        services.record_withdrawal(**sound | said | {"creator": creator})

    assert refusal.value.details == {"field": field}


def test_nobody_speaks_about_the_work_of_another() -> None:
    with pytest.raises(ConsentInvalid) as refusal:
        grant(CreatorFactory(), asset=AssetFactory())

    assert refusal.value.details == {"field": "asset"}


def save_level(**said: Any) -> ConsentLevel:
    sound = {"slug": "research", "name": "Research", "rank": 1, "description": "", "pairs": [INFER], "actor": ACTOR}
    return services.save_consent_level(**sound | said)


def pairs_of(level: ConsentLevel) -> set[tuple[str, str]]:
    return set(level.pairs.values_list("action", "purpose"))


def test_a_level_is_made_and_told() -> None:
    level = save_level(pairs=[TRAIN, INFER])

    assert pairs_of(ConsentLevel.objects.get(slug="research")) == {INFER, TRAIN}
    [entry] = recorded("consent_level.changed")
    assert entry["subject"] == {"type": "consent_level", "id": str(level.id)}
    assert entry["data"]["pairs"] == entry["data"]["added"] == ["asset.infer:research", "asset.train:research"]
    assert (entry["data"]["removed"], entry["data"]["creators"]) == ([], 0)


def test_changing_what_a_level_permits_begins_an_epoch_for_all_who_ever_granted_it() -> None:
    level = save_level(pairs=[INFER])
    bystander, current, former = CreatorFactory.create_batch(3)
    ConsentGrantFactory(creator=bystander)
    ConsentGrantFactory(creator=current, level=level)
    ConsentGrantFactory(creator=former, level=level)
    ConsentGrantFactory(creator=former)

    save_level(pairs=[TRAIN])

    assert pairs_of(level) == {TRAIN}
    assert [epoch_of(creator) for creator in (bystander, current, former)] == [1, 2, 3]
    entry = recorded("consent_level.changed")[-1]["data"]
    assert (entry["added"], entry["removed"]) == (["asset.train:research"], ["asset.infer:research"])
    assert entry["creators"] == 2


def test_renaming_a_level_is_told_but_begins_no_epoch() -> None:
    level = save_level()
    statement = ConsentGrantFactory(level=level)

    save_level(name="For science")

    assert ConsentLevel.objects.get(id=level.id).name == "For science"
    assert epoch_of(statement.creator) == 1
    entry = recorded("consent_level.changed")[-1]["data"]
    assert (entry["added"], entry["removed"], entry["creators"]) == ([], [], 0)


def test_saving_a_level_as_it_is_leaves_no_trace() -> None:
    first = save_level()

    assert save_level() == first
    assert len(recorded("consent_level.changed")) == 1


@pytest.mark.parametrize(
    ("field", "said"),
    [("pairs", {"pairs": [("asset.infer", "fun")]}), ("rank", {"rank": -1}), ("name", {"slug": "another"})],
)
def test_a_level_that_cannot_be_names_the_field_and_changes_nothing(field: str, said: dict[str, Any]) -> None:
    level = save_level()

    with pytest.raises(ConsentLevelInvalid) as refusal:
        save_level(**said)

    assert refusal.value.details == {"field": field}
    assert ConsentLevel.objects.get() == level
    assert pairs_of(level) == {INFER}


def test_suspending_a_creator_begins_an_epoch() -> None:
    creator = CreatorFactory()

    services.set_creator_status(creator=creator, status=CreatorStatus.SUSPENDED, actor=ACTOR)
    services.set_creator_status(creator=creator, status=CreatorStatus.SUSPENDED, actor=ACTOR)

    kept = Creator.objects.get()
    assert (kept.status, kept.consent_epoch) == (creator.status, creator.consent_epoch) == ("suspended", 1)
    [entry] = recorded("creator.status_changed")
    assert entry["subject"] == {"type": "creator", "id": str(creator.id)}
    assert entry["data"] == {"status": "suspended", "epoch": 1}


def test_quarantine_is_told() -> None:
    asset = AssetFactory()

    services.set_asset_status(asset=asset, status=AssetStatus.QUARANTINED, actor=ACTOR)
    services.set_asset_status(asset=asset, status=AssetStatus.QUARANTINED, actor=ACTOR)

    assert Asset.objects.get().status == asset.status == "quarantined"
    [entry] = recorded("asset.status_changed")
    assert entry["data"] == {"status": "quarantined", "sha256": asset.sha256}


def upload(data: bytes, **said: Any) -> Asset:
    sound = {
        "title": "Dunes",
        "stream": io.BytesIO(data),
        "filename": "dunes.exe",
        "uploaded_by": SubjectRef("partner", "42"),
        "dataset": None,
        "actor": Actor("client", "app"),
    }
    return services.register_asset(**sound | {"creator": said.get("creator") or CreatorFactory()} | said)


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

    with pytest.raises((UploadTooLarge, MediaRefused)) as refusal:
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


def test_one_creator_s_picture_is_not_taken_in_as_another_s() -> None:
    upload(image_bytes(), creator=CreatorFactory())

    with pytest.raises(AssetClaimed):
        upload(image_bytes(), creator=CreatorFactory())


def test_nothing_the_catalogue_tells_the_ledger_names_a_person() -> None:
    creator = CreatorFactory(display_name="Ada Lovelace", email="ada@example.com")
    asset = upload(image_bytes(), creator=creator, title="Ada's garden", filename="ada.png")
    grant(creator, asset=asset)
    services.record_withdrawal(creator=creator, asset=None, everything=True, method="email", actor=ACTOR)
    services.set_creator_status(creator=creator, status=CreatorStatus.SUSPENDED, actor=ACTOR)
    services.set_asset_status(asset=asset, status=AssetStatus.QUARANTINED, actor=ACTOR)

    told = b" ".join(bytes(entry.body) for entry in OutboxEntry.objects.all()).decode().lower()

    assert OutboxEntry.objects.count() == 5
    assert "lovelace" not in told
    assert "ada" not in told.replace("data", "")


def test_a_change_that_is_rolled_back_leaves_no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **_: object) -> None:
        raise IntegrityError

    creator = CreatorFactory()
    monkeypatch.setattr(services, "record_with_receipt", fail)

    with pytest.raises(IntegrityError):
        grant(creator)

    assert (epoch_of(creator), ConsentGrant.objects.count()) == (0, 0)
