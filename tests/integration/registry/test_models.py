import pytest
from django.db import IntegrityError, transaction

from governance.kernel import clock
from governance.registry.choices import Stage
from governance.registry.models import Model, ModelAlias, ModelVersion
from tests.factories.registry import LicenceFactory, ModelAliasFactory, ModelFactory, ModelVersionFactory

pytestmark = pytest.mark.django_db


def refused_by(name: str) -> pytest.RaisesExc[IntegrityError]:
    """Expect PostgreSQL to refuse, and to say so by `name`."""
    return pytest.raises(IntegrityError, match=name)


@pytest.mark.parametrize("field", ["version", "runtime", "artifact_object", "artifact_sha256", "artifact_size"])
def test_what_a_version_is_cannot_be_edited(field: str) -> None:
    version = ModelVersionFactory()

    with refused_by("append-only"), transaction.atomic():
        ModelVersion.objects.filter(id=version.id).update(**{field: "7"})


def test_configuration_and_model_of_a_version_cannot_be_edited_and_it_stays() -> None:
    version = ModelVersionFactory()

    with refused_by("append-only"), transaction.atomic():
        ModelVersion.objects.filter(id=version.id).update(config={"scale": 4})
    with refused_by("append-only"), transaction.atomic():
        ModelVersion.objects.filter(id=version.id).update(model=ModelFactory())
    with refused_by("append-only"), transaction.atomic():
        version.delete()


def test_the_stage_of_a_version_may_change() -> None:
    version = ModelVersionFactory()

    ModelVersion.objects.filter(id=version.id).update(stage=Stage.PRODUCTION)

    assert ModelVersion.objects.get().stage == Stage.PRODUCTION


def test_a_version_is_there_once() -> None:
    version = ModelVersionFactory()

    with refused_by("model_version_once"), transaction.atomic():
        ModelVersionFactory(model=version.model, version=version.version)


def test_an_artifact_has_bytes() -> None:
    with refused_by("model_version_size_positive"), transaction.atomic():
        ModelVersionFactory(artifact_size=0)


def test_an_alias_points_to_a_version_of_its_own_model() -> None:
    with refused_by("model_alias_of_model"), transaction.atomic():
        ModelAlias.objects.create(model=ModelFactory(), name="canary", version=ModelVersionFactory())


def test_an_alias_is_there_once() -> None:
    alias = ModelAliasFactory()

    with refused_by("model_alias_once"), transaction.atomic():
        ModelAlias.objects.create(model=alias.model, name=alias.name, version=alias.version)


def test_a_licence_ends_after_its_start() -> None:
    now = clock.now()

    with refused_by("licence_window_in_order"), transaction.atomic():
        LicenceFactory(valid_from=now, valid_until=now)


def test_rows_are_called_by_what_people_know_them_by() -> None:
    model: Model = ModelFactory(slug="espcn", name="Sharp", licence__name="Open")
    alias = ModelAliasFactory(version=ModelVersionFactory(model=model, version="1.0.0"))

    assert [str(row) for row in (model, model.licence, alias.version, alias)] == [
        "Sharp",
        "Open",
        "espcn 1.0.0",
        "espcn@production",
    ]
