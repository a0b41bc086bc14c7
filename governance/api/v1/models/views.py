"""Models that partners may ask for."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, RetrieveAPIView

from governance.api.authentication import grant_of
from governance.api.needs import READ_MODELS
from governance.api.pagination import BySlug
from governance.api.schema import problems
from governance.api.v1.models.serializers import ModelSerializer
from governance.api.v1.permitted import PermittedModelsFilterSet
from governance.api.v1.visibility import models_for
from governance.registry.models import Model


class ModelFilterSet(PermittedModelsFilterSet):
    """By task, owner, and what policy permits."""

    class Meta:
        model = Model
        fields = ["task", "owner"]


@extend_schema_view(
    get=extend_schema(
        operation_id="list_models",
        tags=["models"],
        summary="List models",
        extensions=problems("no_active_revision", "policy_frozen", "permitted_set_unavailable"),
    )
)
class ModelListView(ListAPIView[Model]):
    """The models that the token covers."""

    needs = {"GET": READ_MODELS}

    queryset = Model.objects.none()
    serializer_class = ModelSerializer
    pagination_class = BySlug
    filterset_class = ModelFilterSet

    def get_queryset(self) -> QuerySet[Model]:
        """Return what the token covers."""
        return models_for(grant_of(self.request))


@extend_schema_view(get=extend_schema(operation_id="get_model", tags=["models"], summary="Look at a model"))
class ModelView(RetrieveAPIView[Model]):
    """One model."""

    needs = {"GET": READ_MODELS}

    queryset = Model.objects.none()
    serializer_class = ModelSerializer
    lookup_field = "slug"
    filter_backends = []

    def get_queryset(self) -> QuerySet[Model]:
        """Return what the token covers."""
        return models_for(grant_of(self.request))
