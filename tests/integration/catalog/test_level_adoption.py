"""The upgrade to version 0.2 makes version 1 of each consent level, which the grants of before are of."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from governance.audit.tally import Tally
from governance.catalog.models import ConsentGrant, ConsentLevel
from governance.catalog.states import CONSENT_LEVELS
from governance.kernel import clock
from governance.workflows.reconcile.run import database_faults
from tests.factories.audit import newest_data

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("catalog", "0006_states_on_record")]
NEWEST = [("catalog", "0009_consent_levels_are_policy")]


def migrate(target: list[tuple[str, str]]) -> Apps:
    executor = MigrationExecutor(connection)
    executor.migrate(target)
    return executor.loader.project_state(target).apps


@pytest.fixture
def tables_of_before() -> Iterator[Apps]:
    yield migrate(BEFORE)
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


def fill(old: Apps) -> dict[str, Any]:
    """Write two levels and a grant and a withdrawal as version 0.1 had them."""
    research = old.get_model("catalog", "ConsentLevel").objects.create(
        slug="research", name="Research", rank=20, description="For science."
    )
    old.get_model("catalog", "ConsentLevel").objects.create(slug="nothing", name="Nothing", rank=1)
    pairs = old.get_model("catalog", "ConsentPair").objects
    pairs.create(level=research, action="asset.train", purpose="research")
    pairs.create(level=research, action="asset.infer", purpose="research")
    creator = old.get_model("catalog", "Creator").objects.create(
        slug="ada", display_name="Ada", region="SE", consent_epoch=2
    )
    said = {"creator": creator, "valid_from": clock.now(), "method": "console"}
    statements = old.get_model("catalog", "ConsentGrant").objects
    grant = statements.create(kind="grant", level=research, epoch=1, **said)
    withdrawal = statements.create(kind="withdrawal", epoch=2, **said)
    return {"grant": grant.pk, "withdrawal": withdrawal.pk}


def test_levels_and_grants_of_before_are_of_version_1(tables_of_before: Apps) -> None:
    written = fill(tables_of_before)

    migrate(NEWEST)

    grant = ConsentGrant.objects.get(pk=written["grant"])
    version = grant.level_version
    assert (version.number, version.name, version.rank, version.description) == (1, "Research", 20, "For science.")
    assert version.pairs == version.effective == ["asset.infer:research", "asset.train:research"]
    assert grant.level.in_force == version
    assert ConsentGrant.objects.get(pk=written["withdrawal"]).level_version is None
    assert str(ConsentLevel.objects.select_related("in_force").get(slug="nothing")) == "Nothing"


def test_levels_of_before_are_on_record_and_reconcile(tables_of_before: Apps) -> None:
    fill(tables_of_before)

    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())

    for level in CONSENT_LEVELS.rows():
        adopted = newest_data("consent_level.adopted", CONSENT_LEVELS.ref(level))
        assert adopted == {"before": None, "after": CONSENT_LEVELS.state(level)}
    faults = {fault.check for fault in database_faults(Tally())}
    assert not {check for check in faults if check.startswith("consent_level")}


def test_grants_are_history_again_after_the_upgrade(tables_of_before: Apps) -> None:
    fill(tables_of_before)
    migrate(NEWEST)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'catalog_consentgrant_append_only'")
        assert cursor.fetchone() == ("O",)
