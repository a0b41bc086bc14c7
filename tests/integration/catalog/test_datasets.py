"""Datasets: each change is on record with the state before and after it."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from governance.audit.errors import ChangedMeanwhile
from governance.audit.models import OutboxEntry
from governance.catalog import datasets
from governance.catalog.errors import DatasetInvalid, DatasetNotEmpty
from governance.catalog.models import Dataset
from governance.catalog.states import DATASETS
from tests.factories.catalog import ACTOR, AssetFactory, DatasetFactory

pytestmark = pytest.mark.django_db


def recorded(kind: str) -> list[dict[str, Any]]:
    """Return the data of the ledger entries of a kind."""
    entries = OutboxEntry.objects.filter(kind=kind).order_by("id")
    return [json.loads(bytes(entry.body))["data"] for entry in entries]


def create(**said: Any) -> Dataset:
    return datasets.create_dataset(**{"slug": "zoo", "name": "Zoo", "description": "", "actor": ACTOR} | said)


def test_a_dataset_is_on_record_from_its_making_to_its_end() -> None:
    zoo = create()
    datasets.change_dataset(dataset=zoo, name="Animals", description="All of them.\nReally.", actor=ACTOR)
    datasets.change_dataset(dataset=zoo, name="Animals", description="All of them.\nReally.", actor=ACTOR)
    datasets.delete_dataset(dataset=zoo, actor=ACTOR)

    assert not Dataset.objects.exists()
    made = {"slug": "zoo", "name": "Zoo", "description": ""}
    changed = {"slug": "zoo", "name": "Animals", "description": "All of them.\nReally."}
    assert recorded("dataset.created") == [{"before": None, "after": made, "fields": ["name", "slug"]}]
    assert recorded("dataset.changed") == [{"before": made, "after": changed, "fields": ["description", "name"]}]
    assert recorded("dataset.deleted") == [{"before": changed, "after": None}]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("slug", {"slug": "two words"}),
        ("name", {"name": ""}),
        ("name", {"name": "x" * 201}),
        ("description", {"description": "x" * 4001}),
        ("description", {"description": "nul\0"}),
    ],
)
def test_what_cannot_be_names_the_field(field: str, said: dict[str, Any]) -> None:
    with pytest.raises(DatasetInvalid) as refusal:
        create(**said)

    assert refusal.value.details == {"field": field}
    assert (Dataset.objects.count(), OutboxEntry.objects.count()) == (0, 0)


def test_a_slug_is_taken_once() -> None:
    create()

    with pytest.raises(DatasetInvalid) as refusal:
        create(name="Another")

    assert refusal.value.details == {"field": "slug"}


def test_a_dataset_with_works_stays() -> None:
    zoo = create()
    AssetFactory(dataset=zoo)

    with pytest.raises(DatasetNotEmpty):
        datasets.delete_dataset(dataset=zoo, actor=ACTOR)

    assert Dataset.objects.get() == zoo
    assert recorded("dataset.deleted") == []


def test_what_is_gone_is_not_deleted_again() -> None:
    zoo = create()
    datasets.delete_dataset(dataset=zoo, actor=ACTOR)

    with pytest.raises(ChangedMeanwhile, match="deleted"):
        datasets.delete_dataset(dataset=zoo, actor=ACTOR)
    with pytest.raises(ChangedMeanwhile, match="deleted"):
        datasets.change_dataset(dataset=zoo, name="Zoo", description="", actor=ACTOR)


def test_a_change_prepared_from_an_older_state_is_refused() -> None:
    zoo = create()
    seen = DATASETS.state(zoo)
    datasets.change_dataset(dataset=zoo, name="Animals", description="", actor=ACTOR)

    with pytest.raises(ChangedMeanwhile):
        datasets.change_dataset(dataset=zoo, name="Zoo", description="All of them.", actor=ACTOR, seen=seen)

    assert Dataset.objects.get().name == "Animals"


def test_a_change_whose_entry_fails_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **_: object) -> None:
        raise IntegrityError

    zoo = create()
    monkeypatch.setattr(datasets, "record", fail)

    with pytest.raises(IntegrityError):
        create(slug="other")
    with pytest.raises(IntegrityError):
        datasets.change_dataset(dataset=zoo, name="Animals", description="", actor=ACTOR)
    with pytest.raises(IntegrityError):
        datasets.delete_dataset(dataset=zoo, actor=ACTOR)

    assert Dataset.objects.get().name == "Zoo"


@pytest.mark.django_db(transaction=True)
def test_a_dataset_is_not_deleted_while_a_work_comes_in() -> None:
    zoo, held = DatasetFactory(), threading.Event()

    def delete() -> str:
        held.wait(timeout=30)
        try:
            datasets.delete_dataset(dataset=zoo, actor=ACTOR)
        except DatasetNotEmpty as error:
            return error.error_code
        finally:
            connection.close()
        return "deleted"

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(delete)
        with transaction.atomic():
            datasets.hold_dataset(zoo)
            held.set()
            AssetFactory(dataset=zoo)
        assert answer.result(timeout=30) == "dataset_not_empty"
