"""The migration that puts models and versions of before on record."""

import json
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from governance.audit.models import OutboxEntry
from governance.registry.models import Model, ModelVersion
from governance.registry.states import MODELS, VERSIONS
from tests.factories.registry import ModelAliasFactory, ModelVersionFactory

pytestmark = pytest.mark.django_db


def adopted(kind: str) -> dict[str, Any]:
    entries = OutboxEntry.objects.filter(kind=kind)
    return {entry.subject_id: json.loads(bytes(entry.body))["data"] for entry in entries}


def test_models_and_versions_are_on_record_as_they_are() -> None:
    model = ModelAliasFactory(version=ModelVersionFactory(stage="production", config={"scale": 2})).model
    ModelAliasFactory(name="stable", version=model.versions.get())
    ModelVersionFactory()

    import_module("governance.registry.migrations.0005_states_on_record").adopt(apps, None)

    assert adopted("model.adopted") == {
        str(each.pk): {"before": None, "after": MODELS.state(each)} for each in Model.objects.all()
    }
    assert adopted("model_version.adopted") == {
        str(each.pk): {"before": None, "after": VERSIONS.state(each)} for each in ModelVersion.objects.all()
    }
