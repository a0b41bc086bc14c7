"""Reading the model registry."""

from datetime import datetime

from django.db.models import Prefetch, QuerySet

from governance.registry.choices import PRODUCTION_ALIAS, LicenceState
from governance.registry.errors import ModelNotFound, ModelVersionNotFound
from governance.registry.models import Licence, Model, ModelAlias, ModelVersion


def resolve_version(*, model_slug: str, ref: str | None) -> ModelVersion:
    """Return the version that `ref`, a version or an alias, stands for; without one, the alias `production`.

    The version comes with its model and licence. A retired version is returned too when it is asked for by its number:
    policy decides about stages. Raises ModelNotFound, ModelVersionNotFound.
    """
    versions = ModelVersion.objects.filter(model__slug=model_slug).select_related("model__licence")
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


def licence_state(licence: Licence, at: datetime) -> LicenceState:
    """Return what a licence amounts to at a moment: it holds from its start, included, to its end, excluded."""
    if at < licence.valid_from:
        return LicenceState.NOT_STARTED
    if licence.valid_until is not None and at >= licence.valid_until:
        return LicenceState.EXPIRED
    return LicenceState.ACTIVE
