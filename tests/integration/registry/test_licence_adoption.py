"""The upgrade to version 0.2 makes version 1 of each licence, as it was, and holds it in the database from then on."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from governance.audit.tally import Tally
from governance.registry.models import Licence, LicenceVersion
from governance.registry.states import LICENCES
from governance.workflows.reconcile.run import database_faults
from tests.factories.audit import newest_data
from tests.factories.levels import AUTHOR
from tests.factories.licences import propose_change

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("registry", "0005_states_on_record")]
NEWEST = [("registry", "0008_licences_are_policy")]
FROM, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
TERMS = {
    "name": "Research only",
    "purposes": ["research"],
    "regions": ["DE"],
    "partners": ["lumen"],
    "valid_from": FROM,
    "valid_until": UNTIL,
    "obligations": [{"kind": "attribution", "parameters": {"text": "Ada"}}],
    "terms_url": "https://example.org/terms",
}


def migrate(target: list[tuple[str, str]]) -> Apps:
    executor = MigrationExecutor(connection)
    executor.migrate(target)
    return executor.loader.project_state(target).apps


@pytest.fixture
def upgraded() -> Iterator[Any]:
    """Write two licences, one with a model, as version 0.1 had them, and upgrade; return the key of the first."""
    old = migrate(BEFORE)
    licences = old.get_model("registry", "Licence").objects
    strict = licences.create(slug="strict", **TERMS)
    licences.create(slug="open", name="Open", purposes=["commercial"], valid_from=FROM)
    old.get_model("registry", "Model").objects.create(
        slug="espcn", name="ESPCN", task="upscale", owner="assent-labs", licence=strict
    )
    migrate(NEWEST)
    yield strict.pk
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


def test_a_licence_of_before_is_version_1_with_all_its_terms(upgraded: Any) -> None:
    licence = Licence.objects.get(pk=upgraded)
    version = LicenceVersion.objects.get(licence=licence)

    assert (version.number, licence.in_force_id) == (1, version.pk)
    for name, value in TERMS.items():
        assert getattr(licence, name) == getattr(version, name) == value
    assert LicenceVersion.objects.count() == 2


def test_licences_of_before_are_on_record_and_reconcile(upgraded: Any) -> None:
    for licence in LICENCES.rows():
        adopted = newest_data("licence.adopted", LICENCES.ref(licence))
        assert adopted == {"before": None, "after": LICENCES.state(licence)}
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
    faults = {fault.check for fault in database_faults(Tally())}
    assert not {check for check in faults if check.startswith("licence")}


def test_the_database_holds_them_to_their_version(upgraded: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Licence.objects.filter(pk=upgraded).update(purposes=["commercial"])
    other = LicenceVersion.objects.get(licence__slug="open")
    with pytest.raises(IntegrityError), transaction.atomic():
        Licence.objects.filter(pk=upgraded).update(in_force=other)
    with pytest.raises(IntegrityError), transaction.atomic():
        LicenceVersion.objects.update(purposes=["commercial"])


def test_a_licence_of_before_changes_by_a_proposal(upgraded: Any) -> None:
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
    proposal = propose_change(Licence.objects.get(pk=upgraded), purposes=(), actor=AUTHOR)

    assert (proposal.base.number, proposal.direction) == (1, "narrower")
