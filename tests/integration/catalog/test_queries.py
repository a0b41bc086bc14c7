from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from governance.catalog.choices import ConsentSource, ConsentState
from governance.catalog.models import Asset, Creator
from governance.catalog.queries import effective_consent, effective_consents, visible_assets
from governance.catalog.services import record_grant, record_withdrawal
from governance.catalog.types import EffectiveConsent
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

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def asset() -> Asset:
    return AssetFactory()


def consent(asset: Asset, at: datetime = START) -> EffectiveConsent:
    return effective_consent(asset=asset, at=at)


@pytest.fixture(autouse=True)
def time() -> ManualClock:
    manual = ManualClock(START)
    with clock.using(manual):
        yield manual


def withdraw(creator: Creator, asset: Asset | None = None, *, everything: bool = False) -> None:
    record_withdrawal(creator=creator, asset=asset, everything=everything, method="console", actor=ACTOR)


def test_silence_permits_nothing(asset: Asset) -> None:
    assert consent(asset) == EffectiveConsent(ConsentState.NONE, ConsentSource.NONE, epoch=0)


def test_the_default_governs_a_work_without_a_statement(asset: Asset) -> None:
    grant = ConsentGrantFactory(
        creator=asset.creator,
        regions=["US", "DE"],
        partners_allowed=["acme"],
        partners_excluded=["nova"],
    )

    assert consent(asset) == EffectiveConsent(
        state=ConsentState.ACTIVE,
        source=ConsentSource.DEFAULT,
        epoch=1,
        grant_id=grant.id,
        level=grant.level.slug,
        level_version=1,
        pairs=frozenset({INFER}),
        regions=("DE", "US"),
        partners_allowed=("acme",),
        partners_excluded=("nova",),
    )


def test_the_works_own_statement_beats_the_default_whichever_came_first(asset: Asset) -> None:
    own = ConsentGrantFactory(creator=asset.creator, asset=asset, level=ConsentLevelFactory(pairs=[TRAIN]))
    ConsentGrantFactory(creator=asset.creator, level=ConsentLevelFactory(pairs=[INFER]))

    found = consent(asset)

    assert (found.source, found.grant_id, found.pairs) == (ConsentSource.OWN, own.id, frozenset({TRAIN}))
    assert found.epoch == 2


def test_the_newest_statement_takes_the_place_of_the_others(asset: Asset) -> None:
    ConsentGrantFactory(creator=asset.creator, level=ConsentLevelFactory(pairs=[INFER, TRAIN]))
    ConsentGrantFactory(creator=asset.creator, level=ConsentLevelFactory(pairs=[TRAIN]))

    assert consent(asset).pairs == {TRAIN}


def test_statements_of_others_and_about_other_works_count_for_nothing(asset: Asset) -> None:
    ConsentGrantFactory(creator=asset.creator, asset=AssetFactory(creator=asset.creator))
    ConsentGrantFactory()

    assert consent(asset).state is ConsentState.NONE


def test_a_grant_begins_and_ends_on_the_dot(asset: Asset) -> None:
    ConsentGrantFactory(creator=asset.creator, valid_from=START + HOUR, valid_until=START + 2 * HOUR)
    moment = timedelta(microseconds=1)

    states = [consent(asset, START + HOUR * k + moment * m).state for k, m in [(1, -1), (1, 0), (2, -1), (2, 0)]]

    assert states == [ConsentState.NONE, ConsentState.ACTIVE, ConsentState.ACTIVE, ConsentState.EXPIRED]


def test_an_expired_grant_permits_nothing_but_says_what_it_was(asset: Asset) -> None:
    grant = ConsentGrantFactory(creator=asset.creator, valid_until=START + HOUR, regions=["DE"])

    found = consent(asset, START + HOUR)

    assert (found.state, found.level, found.regions) == (ConsentState.EXPIRED, grant.level.slug, ("DE",))
    assert found.pairs == frozenset()


def test_an_expired_grant_does_not_borrow_from_one_in_force_of_the_same_level(asset: Asset) -> None:
    other, level = AssetFactory(creator=asset.creator), ConsentLevelFactory()
    ConsentGrantFactory(creator=asset.creator, asset=asset, level=level, valid_until=START + HOUR)
    ConsentGrantFactory(creator=asset.creator, asset=other, level=level)

    found = effective_consents([asset, other], START + HOUR)

    assert (found[asset.id].pairs, found[other.id].pairs) == (frozenset(), {INFER})


def test_an_own_statement_that_has_expired_does_not_bring_the_default_back(asset: Asset) -> None:
    ConsentGrantFactory(creator=asset.creator)
    ConsentGrantFactory(creator=asset.creator, asset=asset, valid_until=START + HOUR)

    found = consent(asset, START + HOUR)

    assert (found.state, found.source) == (ConsentState.EXPIRED, ConsentSource.OWN)


def test_until_an_own_statement_begins_what_governed_before_governs(asset: Asset) -> None:
    ConsentGrantFactory(creator=asset.creator)
    ConsentGrantFactory(creator=asset.creator, asset=asset, valid_from=START + HOUR)

    sources = [consent(asset, START).source, consent(asset, START + HOUR).source]

    assert sources == [ConsentSource.DEFAULT, ConsentSource.OWN]


def test_a_withdrawal_takes_effect_at_once_and_leaves_other_works_alone(asset: Asset) -> None:
    other = AssetFactory(creator=asset.creator)
    ConsentGrantFactory(creator=asset.creator)
    withdraw(asset.creator, asset)

    found = effective_consents([asset, other], START)

    assert found[asset.id].state is ConsentState.WITHDRAWN
    assert found[asset.id].pairs == frozenset()
    assert found[asset.id].level is None
    assert found[other.id].state is ConsentState.ACTIVE


def test_a_withdrawn_default_leaves_works_with_an_own_statement_alone(asset: Asset) -> None:
    other = AssetFactory(creator=asset.creator)
    ConsentGrantFactory(creator=asset.creator)
    ConsentGrantFactory(creator=asset.creator, asset=asset)
    withdraw(asset.creator)

    found = effective_consents([asset, other], START)

    assert found[asset.id].state is ConsentState.ACTIVE
    assert found[other.id].state is ConsentState.WITHDRAWN


def test_withdrawing_everything_withdraws_own_statements_too_even_those_to_come(asset: Asset) -> None:
    creator = asset.creator
    later, silent = AssetFactory(creator=creator), AssetFactory(creator=creator)
    ConsentGrantFactory(creator=creator)
    ConsentGrantFactory(creator=creator, asset=asset)
    ConsentGrantFactory(creator=creator, asset=later, valid_from=START + HOUR)
    withdraw(creator, everything=True)

    found = effective_consents([asset, later, silent], START + 2 * HOUR)

    assert {each.state for each in found.values()} == {ConsentState.WITHDRAWN}
    assert {each.epoch for each in found.values()} == {4}


def test_only_a_new_grant_permits_again(asset: Asset) -> None:
    ConsentGrantFactory(creator=asset.creator, asset=asset)
    withdraw(asset.creator, everything=True)

    ConsentGrantFactory(creator=asset.creator)
    assert consent(asset).state is ConsentState.WITHDRAWN
    ConsentGrantFactory(creator=asset.creator, asset=asset)
    assert consent(asset).state is ConsentState.ACTIVE


def test_a_clock_that_is_behind_does_not_overlook_a_withdrawal(asset: Asset, time: ManualClock) -> None:
    ConsentGrantFactory(creator=asset.creator)
    time.advance(seconds=60)
    withdraw(asset.creator)

    assert consent(asset, START + timedelta(seconds=59)).state is ConsentState.WITHDRAWN


def test_a_clock_that_is_behind_does_not_use_a_grant_before_its_time(asset: Asset, time: ManualClock) -> None:
    ConsentGrantFactory(creator=asset.creator, level=ConsentLevelFactory(pairs=[INFER, TRAIN]))
    time.advance(seconds=60)
    ConsentGrantFactory(creator=asset.creator, level=ConsentLevelFactory(pairs=[INFER]))

    assert consent(asset, START + timedelta(seconds=59)).pairs == frozenset()
    assert consent(asset, START + timedelta(seconds=60)).pairs == {INFER}


def test_a_backdated_grant_counts_from_the_day_it_says(asset: Asset) -> None:
    ConsentGrantFactory(creator=asset.creator, valid_from=START - HOUR)

    assert consent(asset, START - HOUR).state is ConsentState.ACTIVE


def test_many_works_cost_as_many_queries_as_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    level = ConsentLevelFactory()
    assets = [AssetFactory() for _ in range(12)]
    for asset in assets:
        ConsentGrantFactory(creator=asset.creator, level=level)
    for asset in assets[::2]:
        ConsentGrantFactory(creator=asset.creator, asset=asset, level=level)
    fresh = list(Asset.objects.all())

    with django_assert_num_queries(2):
        assert len(effective_consents(fresh, START)) == 12
    with django_assert_num_queries(2):
        effective_consents(fresh[:1], START)
    with django_assert_num_queries(0):
        assert effective_consents([], START) == {}


def test_the_creator_of_each_work_is_of_the_moment_of_its_epoch(asset: Asset) -> None:
    stale = Asset.objects.select_related("creator").get(id=asset.id)
    ConsentGrantFactory(creator=asset.creator)
    Creator.objects.filter(id=asset.creator_id).update(status="suspended")

    found = consent(stale)

    assert (stale.creator.status, stale.creator.consent_epoch) == ("suspended", 1)
    assert found.epoch == 1


def test_a_partner_sees_its_own_uploads_and_what_no_partner_uploaded() -> None:
    partner, rival = uuid4(), uuid4()
    catalogue = AssetFactory()
    own = AssetFactory(uploaded_by_type="partner", uploaded_by_id=str(partner))
    AssetFactory(uploaded_by_type="partner", uploaded_by_id=str(rival))
    same_id_other_kind = AssetFactory(uploaded_by_type="creator", uploaded_by_id=str(rival))

    assert set(visible_assets(partner_id=partner)) == {catalogue, own, same_id_other_kind}


def test_visible_works_come_with_creator_and_dataset(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    AssetFactory.create_batch(3)

    with django_assert_num_queries(1):
        assert all(asset.creator.slug and asset.dataset is None for asset in visible_assets(partner_id=uuid4()))


def test_a_grant_made_for_nobody_else_is_kept_apart(asset: Asset) -> None:
    level = ConsentLevelFactory()
    first = record_grant(creator=asset.creator, asset=None, level=level, method="console", actor=ACTOR)
    stranger = AssetFactory(creator=CreatorFactory())

    assert consent(asset).grant_id == first.id
    assert consent(stranger).grant_id is None
