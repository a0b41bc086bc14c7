import pytest
from pytest_django import DjangoAssertNumQueries

from governance.registry.choices import Stage
from governance.registry.errors import ModelNotFound, ModelVersionNotFound
from governance.registry.models import Model, ModelVersion
from governance.registry.queries import available_models, resolve_version
from tests.factories.registry import ModelAliasFactory, ModelFactory, ModelVersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def model() -> Model:
    return ModelFactory(slug="espcn")


@pytest.fixture
def current(model: Model) -> ModelVersion:
    version = ModelVersionFactory(model=model, version="1.1.0", stage=Stage.PRODUCTION)
    ModelAliasFactory(version=version)
    return version


@pytest.mark.parametrize("ref", [None, "", "production", "1.1.0"])
def test_a_version_is_found_by_its_number_by_an_alias_or_by_nothing(current: ModelVersion, ref: str | None) -> None:
    assert resolve_version(model_slug="espcn", ref=ref) == current


def test_other_versions_and_aliases_are_found_too(model: Model, current: ModelVersion) -> None:
    older = ModelVersionFactory(model=model, version="1.0.0", stage=Stage.RETIRED)
    newer = ModelVersionFactory(model=model, version="2.0.0")
    ModelAliasFactory(version=newer, name="canary")

    assert resolve_version(model_slug="espcn", ref="1.0.0") == older
    assert resolve_version(model_slug="espcn", ref="canary") == newer


def test_a_version_comes_with_model_and_licence(
    current: ModelVersion, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert resolve_version(model_slug="espcn", ref="1.1.0").model.licence.purposes == ["research"]


def test_what_is_not_there_is_not_found(current: ModelVersion) -> None:
    ModelAliasFactory(version=ModelVersionFactory(version="9.0.0"), name="canary")

    with pytest.raises(ModelNotFound):
        resolve_version(model_slug="nothing", ref=None)
    with pytest.raises(ModelVersionNotFound):
        resolve_version(model_slug="espcn", ref="9.0.0")
    with pytest.raises(ModelVersionNotFound):
        resolve_version(model_slug="espcn", ref="canary")


def test_a_model_without_the_alias_has_no_version_by_default(model: Model) -> None:
    ModelVersionFactory(model=model, stage=Stage.PRODUCTION)

    with pytest.raises(ModelVersionNotFound):
        resolve_version(model_slug="espcn", ref=None)
    assert list(available_models()) == []


def test_available_models_come_with_all_that_a_list_shows(
    current: ModelVersion, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ModelAliasFactory(version=current, name="stable")
    ModelAliasFactory()

    with django_assert_num_queries(2):
        shown = {
            model.slug: (model.licence.purposes, [(alias.name, alias.version.version) for alias in model.aliases.all()])
            for model in available_models()
        }

    assert len(shown) == 2
    assert shown["espcn"] == (["research"], [("production", "1.1.0"), ("stable", "1.1.0")])
