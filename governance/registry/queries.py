"""Reading the model registry."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    ExpressionWrapper,
    FilteredRelation,
    Func,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
)

from governance.registry.choices import PRODUCTION_ALIAS, LicenceState
from governance.registry.errors import ModelNotFound, ModelVersionNotFound
from governance.registry.models import Licence, Model, ModelAlias, ModelVersion

_LICENCE_VERSIONS = """
    SELECT m.slug, l.slug || '/' || v.number FROM registry_model AS m
    JOIN registry_licence AS l ON l.id = m.licence_id JOIN registry_licenceversion AS v ON v.id = l.in_force_id
    WHERE m.slug = ANY (%s) ORDER BY m.id FOR SHARE OF m, l
"""


def resolve_version(*, model_slug: str, ref: str | None) -> ModelVersion:
    """Return the version that `ref`, a version or an alias, stands for; without one, the alias `production`.

    The version comes with its model and licence. A retired version is returned too when it is asked for by its number:
    policy decides about stages. Raises ModelNotFound, ModelVersionNotFound.
    """
    versions = ModelVersion.objects.filter(model__slug=model_slug).select_related("model__licence__in_force")
    wanted = ref or PRODUCTION_ALIAS
    version = versions.filter(version=wanted).first() or versions.filter(aliases__name=wanted).first()
    if version is not None:
        return version
    if not Model.objects.filter(slug=model_slug).exists():
        raise ModelNotFound(f"There is no model '{model_slug}'.", details={"field": "model"})
    raise ModelVersionNotFound(f"The model '{model_slug}' has no version or alias '{wanted}'.")


def available_models() -> QuerySet[Model]:
    """Return the models that can be asked for by name alone, with licence, aliases and the versions behind them."""
    aliases = Prefetch("aliases", queryset=ModelAlias.objects.select_related("version"))
    available = Model.objects.filter(aliases__name=PRODUCTION_ALIAS)
    return available.select_related("licence").prefetch_related(aliases)


def licence_versions(version: ModelVersion) -> dict[str, str]:
    """Return by which version of which licence a model runs, by the model's slug, such as "open/3"."""
    licence = version.model.licence
    return {version.model.slug: f"{licence.slug}/{licence.in_force.number}"}


def locked_licence_versions(models: Collection[str]) -> dict[str, str]:
    """Return what `licence_versions` would say of these models now.

    Licences and models are shared until the transaction ends: a change waits for it, or is seen by it. A change that
    comes in between leaves its model out, which is a difference too.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LICENCE_VERSIONS, [[*models]])
        return dict(cursor.fetchall())


def licence_state(licence: Licence, at: datetime) -> LicenceState:
    """Return the state of a licence at a moment: it is valid from its start (inclusive) to its end (exclusive)."""
    if at < licence.valid_from:
        return LicenceState.NOT_STARTED
    if licence.valid_until is not None and at >= licence.valid_until:
        return LicenceState.EXPIRED
    return LicenceState.ACTIVE


def with_serving_version(models: QuerySet[Model], *, at: datetime) -> QuerySet[Model]:
    """Return the models that have a version behind the alias `production`, annotated for policies.

    `serving__version` is that version; `licence_state`, `any_region` and `any_partner` are of the licence at a moment.
    """
    state = Case(
        When(licence__valid_from__gt=at, then=Value(LicenceState.NOT_STARTED.value)),
        When(licence__valid_until__lte=at, then=Value(LicenceState.EXPIRED.value)),
        default=Value(LicenceState.ACTIVE.value),
        output_field=CharField(),
    )
    return models.alias(
        serving=FilteredRelation("aliases", condition=Q(aliases__name=PRODUCTION_ALIAS)),
        licence_state=state,
        any_region=ExpressionWrapper(Q(licence__regions=[]), output_field=BooleanField()),
        any_partner=ExpressionWrapper(Q(licence__partners=[]), output_field=BooleanField()),
    ).filter(serving__version__isnull=False)


def obligations_within(kinds: Collection[str]) -> Q:
    """Return whether every obligation of a model's licence is of one of these kinds."""
    known = " || ".join(f'@.kind == "{kind}"' for kind in sorted(kinds)) or "1 == 0"
    strange = Value(f"$[*] ? (!({known}))")
    found = Func("licence__obligations", strange, function="jsonb_path_exists", output_field=BooleanField())
    return ~Q(found)
