"""The filter of lists by what policy permits: `permitted_for` an action, for a `purpose`."""

from typing import TypeVar

from django.db import models
from django.db.models import QuerySet
from django_filters import CharFilter, ChoiceFilter
from django_filters.rest_framework import FilterSet

from governance.api.authentication import grant_of
from governance.api.errors import QueryInvalid
from governance.api.v1.visibility import models_for
from governance.catalog.models import Asset
from governance.decisions.permitted import permitted_assets, permitted_models
from governance.decisions.types import AccessContext
from governance.kernel import clock
from governance.kernel.vocabulary import ACTION_CHOICES, PURPOSE_CHOICES, Action
from governance.partners.types import TokenGrant
from governance.registry.models import Model, ModelVersion
from governance.registry.queries import resolve_version


def access_context(grant: TokenGrant, purpose: str) -> AccessContext:
    """Return the context of a question that is asked now with this token."""
    return AccessContext(
        partner=grant.partner, client_id=grant.client.client_id, token=grant.coverage, purpose=purpose, at=clock.now()
    )


def version_for(grant: TokenGrant, slug: str) -> ModelVersion | None:
    """Return the version that serves a model; None without a name. Raises QueryInvalid for an unknown model."""
    if not slug:
        return None
    if not models_for(grant).filter(slug=slug).exists():
        raise QueryInvalid("There is no such model, or the token does not cover it.", details={"field": "model"})
    return resolve_version(model_slug=slug, ref=None)


def _choices(kind: str) -> list[tuple[str, str]]:
    return [(action, label) for action, label in ACTION_CHOICES if action.startswith(f"{kind}.")]


Row = TypeVar("Row", bound=models.Model)


class PermittedFilterSet(FilterSet):  # type: ignore[misc]
    """`permitted_for` and `purpose`, which go together."""

    purpose = ChoiceFilter(choices=PURPOSE_CHOICES, method="keep", help_text="With `permitted_for`: what for.")

    def filter_queryset(self, queryset: QuerySet[Row]) -> QuerySet[Row]:
        """Return the rows that match. Raises QueryInvalid for half a question."""
        asked = self.form.cleaned_data
        if bool(asked["permitted_for"]) != bool(asked["purpose"]):
            missing = "purpose" if asked["permitted_for"] else "permitted_for"
            raise QueryInvalid("'permitted_for' and 'purpose' are given together.", details={"field": missing})
        found: QuerySet[Row] = super().filter_queryset(queryset)
        return found

    def keep(self, queryset: QuerySet[Row], name: str, value: str) -> QuerySet[Row]:
        """Return all rows: `permitted_for` uses the value."""
        return queryset


class PermittedAssetsFilterSet(PermittedFilterSet):
    """Which works something is permitted with."""

    permitted_for = ChoiceFilter(
        choices=_choices("asset"), method="permitted", help_text="Only works with which policy permits this now."
    )
    model = CharFilter(method="keep", help_text="With `permitted_for`: the model to use, where rules ask about it.")

    def permitted(self, queryset: QuerySet[Asset], name: str, value: str) -> QuerySet[Asset]:
        """Return the works with which the action is permitted."""
        grant, asked = grant_of(self.request), self.form.cleaned_data
        return permitted_assets(
            assets=queryset,
            action=Action(value),
            context=access_context(grant, asked["purpose"]),
            version=version_for(grant, asked["model"]),
        )


class PermittedModelsFilterSet(PermittedFilterSet):
    """Which models something is permitted with."""

    permitted_for = ChoiceFilter(
        choices=_choices("model"), method="permitted", help_text="Only models with which policy permits this now."
    )

    def permitted(self, queryset: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        """Return the models with which the action is permitted."""
        context = access_context(grant_of(self.request), self.form.cleaned_data["purpose"])
        return permitted_models(models=queryset, action=Action(value), context=context)
