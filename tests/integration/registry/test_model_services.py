"""Models: each change is on record with the state before and after it."""

import json
from typing import Any

import pytest
from django.db import IntegrityError

from governance.audit.errors import ChangedMeanwhile
from governance.audit.models import OutboxEntry
from governance.registry import model_services
from governance.registry.errors import ModelInUse, ModelInvalid
from governance.registry.model_licences import propose_model_licence
from governance.registry.models import Model
from governance.registry.states import MODELS
from tests.factories.registry import ACTOR, LicenceFactory, ModelAliasFactory, ModelFactory, ModelVersionFactory

pytestmark = pytest.mark.django_db

DETAILS = {"name": "ESPCN", "description": "Doubles a photograph.", "task": "upscale", "owner": "assent-labs"}


def recorded(kind: str) -> list[dict[str, Any]]:
    """Return the data of the ledger entries of a kind."""
    entries = OutboxEntry.objects.filter(kind=kind).order_by("id")
    return [json.loads(bytes(entry.body))["data"] for entry in entries]


def create(**said: Any) -> Model:
    given = {"slug": "espcn", "actor": ACTOR} | DETAILS | said
    return model_services.create_model(**{"licence": given.get("licence") or LicenceFactory(slug="open")} | given)


def change(model: Model, **said: Any) -> Model:
    return model_services.change_model(**{"model": model, "actor": ACTOR} | DETAILS | said)


def test_a_model_is_on_record_from_its_making_to_its_end() -> None:
    model = create()
    change(model, name="ESPCN ×2")
    change(model, name="ESPCN ×2")
    model_services.set_model_licence(model=model, licence=LicenceFactory(slug="strict"), actor=ACTOR)
    model_services.delete_model(model=model, actor=ACTOR)

    assert not Model.objects.exists()
    made = DETAILS | {"slug": "espcn", "licence": "open", "aliases": {}}
    named, licensed = made | {"name": "ESPCN ×2"}, made | {"name": "ESPCN ×2", "licence": "strict"}
    fields = ["description", "licence", "name", "owner", "slug", "task"]
    assert recorded("model.created") == [{"before": None, "after": made, "fields": fields}]
    assert recorded("model.changed") == [
        {"before": made, "after": named, "fields": ["name"]},
        {"before": named, "after": licensed, "fields": ["licence"]},
    ]
    assert recorded("model.deleted") == [{"before": licensed, "after": None}]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("slug", {"slug": "two words"}),
        ("name", {"name": ""}),
        ("description", {"description": "x" * 4001}),
        ("task", {"task": "paint"}),
        ("owner", {"owner": "Assent Labs"}),
    ],
)
def test_what_cannot_be_names_the_field(field: str, said: dict[str, Any]) -> None:
    with pytest.raises(ModelInvalid) as refusal:
        create(**said)

    assert refusal.value.details == {"field": field}
    assert (Model.objects.count(), OutboxEntry.objects.count()) == (0, 0)


def test_a_slug_is_taken_once() -> None:
    model = create()

    with pytest.raises(ModelInvalid) as refusal:
        create(licence=model.licence)

    assert refusal.value.details == {"field": "slug"}


def test_a_model_with_proposals_stays() -> None:
    model = create()
    propose_model_licence(model=model, licence=LicenceFactory(), reason="A move", actor=ACTOR)

    with pytest.raises(ModelInUse):
        model_services.delete_model(model=model, actor=ACTOR)


def test_a_model_with_versions_stays() -> None:
    model = ModelVersionFactory().model

    with pytest.raises(ModelInUse):
        model_services.delete_model(model=model, actor=ACTOR)

    assert Model.objects.get() == model


@pytest.mark.parametrize("service", ["details", "licence"])
def test_a_change_prepared_from_an_older_state_is_refused(service: str) -> None:
    model = ModelFactory()
    seen = MODELS.state(model)
    change(model, owner="another-lab")
    prepared = {
        "details": lambda: change(model, seen=seen),
        "licence": lambda: model_services.set_model_licence(
            model=model, licence=LicenceFactory(), actor=ACTOR, seen=seen
        ),
    }

    with pytest.raises(ChangedMeanwhile):
        prepared[service]()

    assert Model.objects.get().owner == "another-lab"
    assert Model.objects.get().licence == model.licence


def test_an_alias_is_part_of_the_state() -> None:
    alias = ModelAliasFactory()

    assert MODELS.state(alias.model)["aliases"] == {"production": alias.version.version}


def test_a_change_whose_entry_fails_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **_: object) -> None:
        raise IntegrityError

    model = create()
    monkeypatch.setattr(model_services, "record", fail)

    with pytest.raises(IntegrityError):
        change(model, name="Another")
    with pytest.raises(IntegrityError):
        model_services.set_model_licence(model=model, licence=LicenceFactory(), actor=ACTOR)
    with pytest.raises(IntegrityError):
        model_services.delete_model(model=model, actor=ACTOR)

    assert MODELS.state(Model.objects.get()) == MODELS.state(model)
