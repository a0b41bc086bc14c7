import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from governance.audit.models import OutboxEntry
from governance.catalog import services
from governance.catalog.choices import GrantKind
from governance.catalog.errors import ConsentInvalid, ConsentLevelInvalid
from governance.catalog.models import ConsentGrant, ConsentLevel, Creator
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


def test_a_change_that_is_rolled_back_leaves_no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **_: object) -> None:
        raise IntegrityError

    creator = CreatorFactory()
    monkeypatch.setattr(services, "record_with_receipt", fail)

    with pytest.raises(IntegrityError):
        grant(creator)

    assert (epoch_of(creator), ConsentGrant.objects.count()) == (0, 0)
