import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from governance.audit.models import OutboxEntry
from governance.catalog import services
from governance.catalog.choices import GrantKind
from governance.catalog.errors import ConsentInvalid
from governance.catalog.models import ConsentGrant, ConsentLevel, Creator
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from tests.factories.catalog import (
    ACTOR,
    AssetFactory,
    ConsentGrantFactory,
    ConsentLevelFactory,
    CreatorFactory,
)
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
        "level_version": 1,
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
def test_a_grant_that_is_not_valid_names_the_field_and_leaves_nothing(field: str, said: dict[str, Any]) -> None:
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
def test_a_withdrawal_that_is_not_valid_names_the_field(field: str, said: dict[str, Any]) -> None:
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


def test_a_change_that_is_rolled_back_leaves_no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **_: object) -> None:
        raise IntegrityError

    creator = CreatorFactory()
    monkeypatch.setattr(services, "record_with_receipt", fail)

    with pytest.raises(IntegrityError):
        grant(creator)

    assert (epoch_of(creator), ConsentGrant.objects.count()) == (0, 0)
