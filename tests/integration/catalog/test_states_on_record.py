"""The migration that puts creators, datasets and works of before on record."""

import json
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from governance.audit.evidence.commitments import commit, open_commitment
from governance.audit.models import OutboxEntry
from governance.audit.recording.entries import build_entry
from governance.audit.types import Actor
from governance.catalog.models import Asset, Creator, Dataset
from governance.catalog.states import ASSETS, CREATORS, DATASETS
from tests.factories.catalog import AssetFactory, CreatorFactory, DatasetFactory

pytestmark = pytest.mark.django_db

MIGRATION = import_module("governance.catalog.migrations.0006_states_on_record")
#: What JSON escapes and what it does not, by RFC 8785 section 3.2.2.2.
TAGS = [
    "plain",
    "two words",
    'quo"te',
    "back\\slash",
    "\u20ac",
    "tab\t",
    "bell\x07",
    "\u2028",
    "</script>",
    "\U0001f600",
]


def upgrade() -> None:
    MIGRATION.adopt(apps, None)
    with connection.cursor() as cursor:
        cursor.execute(MIGRATION.WORKS)


def adopted(kind: str) -> list[OutboxEntry]:
    return list(OutboxEntry.objects.filter(kind=kind).order_by("subject_id"))


def test_every_work_has_an_entry_in_the_bytes_that_python_would_write() -> None:
    dataset = DatasetFactory()
    AssetFactory(tags=TAGS, dataset=dataset)
    AssetFactory(status="quarantined")

    upgrade()

    found = adopted("asset.adopted")
    assert [entry.subject_id for entry in found] == sorted(str(asset.pk) for asset in Asset.objects.all())
    assert [bytes(entry.body) for entry in found] == [
        build_entry(
            entry_id=entry.entry_id,
            kind="asset.adopted",
            subject=ASSETS.ref(asset),
            actor=Actor("system", "upgrade"),
            at=entry.occurred_at,
            data={"before": None, "after": ASSETS.state(asset)},
        )
        for entry, asset in zip(found, ASSETS.rows().order_by("pk"), strict=True)
    ]


def test_creators_and_datasets_are_on_record_as_they_are() -> None:
    committed, silent = CreatorFactory(), CreatorFactory(uploaders=["lumen"], email="")
    salted = commit(subject=CREATORS.ref(committed), name="email", value=committed.email)
    CreatorFactory(display_name="Erased creator", email="", status="suspended", erased_at="2026-01-01T00:00:00Z")
    DatasetFactory(description="x" * 5000)

    upgrade()

    states = {entry.subject_id: json.loads(bytes(entry.body))["data"] for entry in adopted("creator.adopted")}
    assert states == {
        str(creator.pk): {"before": None, "after": CREATORS.state(creator)} for creator in CREATORS.rows()
    }
    assert states[str(committed.pk)]["after"]["email"] == {"commitment": salted}
    name = states[str(silent.pk)]["after"]["display_name"]["commitment"]
    assert open_commitment(
        subject=CREATORS.ref(silent), name="display_name", value=silent.display_name, commitment=name
    )
    [entry] = adopted("dataset.adopted")
    assert json.loads(bytes(entry.body))["data"]["after"] == DATASETS.state(Dataset.objects.get())
    assert Creator.objects.count() == 3
