"""The areas' order, held for foreign keys and migrations as import-linter holds it for imports."""

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.models import ForeignKey, ManyToManyField, Model

#: Higher numbers may point at lower ones; equal numbers are siblings that do not know each other.
HEIGHT = {
    "audit": 1,
    "catalog": 2,
    "partners": 2,
    "registry": 3,
    "rulebook": 3,
    "decisions": 4,
    "jobs": 5,
    "opa": 5,
    "moderation": 6,
}
OUR_MODELS = [model for model in apps.get_models() if model._meta.app_label in HEIGHT]


def related_areas(model: type[Model]) -> set[str]:
    relations = [field for field in model._meta.get_fields() if isinstance(field, ForeignKey | ManyToManyField)]
    return {field.related_model._meta.app_label for field in relations} & set(HEIGHT)


@pytest.mark.parametrize("model", OUR_MODELS, ids=lambda model: model._meta.label)
def test_foreign_keys_point_down(model):
    area = model._meta.app_label
    upward = {other for other in related_areas(model) - {area} if HEIGHT[other] >= HEIGHT[area]}
    assert upward == set()


@pytest.mark.parametrize("area", sorted(HEIGHT))
def test_migrations_depend_downwards(area):
    migrations = MigrationLoader(None).disk_migrations
    needed = {parent for (app, _), each in migrations.items() if app == area for parent, _ in each.dependencies}
    upward = {other for other in needed & set(HEIGHT) - {area} if HEIGHT[other] >= HEIGHT[area]}
    assert upward == set()


def test_every_area_has_a_place_in_the_order():
    areas = {config.label for config in apps.get_app_configs() if config.name.startswith("governance.")}
    assert areas - {"console", "api", "composition", "operations", "demo"} == set(HEIGHT)
