"""The law of versioned consent: whatever happens to a level, no grant ever permits more than it did."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.catalog.models import Asset, ConsentGrant
from governance.catalog.queries import covers_pair, effective_consents, governing_statements, with_governing_consent
from governance.decisions.facts import consent_facts
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from tests.factories.catalog import AssetFactory, ConsentGrantFactory, ConsentLevelFactory
from tests.factories.levels import change_level

pytestmark = pytest.mark.django_db

POOL = tuple((action, purpose) for action in ("asset.infer", "asset.train") for purpose in ("research", "commercial"))
Pairs = frozenset[tuple[str, str]]

versions = st.frozensets(st.sampled_from(POOL))
#: Each step is a new version that permits these pairs, or (None) a creator who grants the level as it is then.
histories = st.lists(st.none() | versions, min_size=1, max_size=7)
laws = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def permitted_in_sql(asset: Asset, at: datetime) -> Pairs:
    """Return the pairs for which the query of permitted sets finds the work."""
    found = [
        pair
        for pair in POOL
        if with_governing_consent(Asset.objects.filter(pk=asset.pk), at=at)
        .filter(governing_consent__in=governing_statements(at=at).filter(covers_pair(":".join(pair))).values("pk"))
        .exists()
    ]
    return frozenset(found)


def tell(history: Sequence[Pairs | None]) -> list[tuple[Asset, Pairs, list[Pairs]]]:
    """Live through a history; return each grant's work, what was agreed to, and what it permitted after each step."""
    now: Pairs = frozenset(POOL[:1])
    level = ConsentLevelFactory(pairs=now)
    grants: list[tuple[Asset, Pairs, list[Pairs]]] = []
    for step in history:
        if step is None:
            asset = AssetFactory()
            ConsentGrantFactory(creator=asset.creator, level=level)
            grants.append((asset, now, []))
        elif step != now:
            change_level(level, pairs=step)
            now = step
        consents = effective_consents([asset for asset, _, _ in grants], clock.now())
        for asset, _, seen in grants:
            seen.append(consents[asset.id].pairs)
    return grants


@laws
@given(history=histories)
def test_consent_never_grows_and_every_way_to_ask_agrees(history: list[Pairs | None]) -> None:
    with clock.using(ManualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))):
        grants = tell(history)
        at = clock.now()
        consents = effective_consents([asset for asset, _, _ in grants], at)

        for asset, agreed, seen in grants:
            assert all(after <= before for before, after in pairwise(seen))
            assert seen[0] == agreed
            assert seen[-1] <= agreed
            facts = consent_facts(consents[asset.id], "asset.infer:research")
            assert facts["pairs"] == sorted(":".join(pair) for pair in seen[-1])
            assert permitted_in_sql(asset, at) == seen[-1]


@laws
@given(history=histories)
def test_a_grant_permits_what_was_agreed_without_what_any_later_version_lacks(history: list[Pairs | None]) -> None:
    tell(history)

    for grant in ConsentGrant.objects.select_related("level_version"):
        later = grant.level.versions.filter(number__gte=grant.level_version.number)
        common = frozenset.intersection(*(frozenset(version.pairs) for version in later))
        assert frozenset(grant.level_version.effective) == common
