"""Filters of the list of works."""

from django.db.models import QuerySet
from django_filters import CharFilter, ChoiceFilter

from governance.api.filters import CreatedFilterSet
from governance.api.v1.permitted import PermittedAssetsFilterSet
from governance.catalog.choices import AssetStatus
from governance.catalog.models import Asset


class AssetFilterSet(PermittedAssetsFilterSet, CreatedFilterSet):
    """By creator, dataset, tag, status, media type, time of creation, and what policy permits."""

    creator = CharFilter(field_name="creator__slug", help_text="The creator's slug.")
    dataset = CharFilter(field_name="dataset__slug", help_text="The dataset's slug.")
    tag = CharFilter(field_name="tags", lookup_expr="contains", method="with_tag", help_text="A tag it has.")
    status = ChoiceFilter(choices=AssetStatus.choices)
    media_type = CharFilter()

    class Meta:
        model = Asset
        fields: list[str] = []

    def with_tag(self, queryset: QuerySet[Asset], name: str, value: str) -> QuerySet[Asset]:
        """Return the works that have the tag `value`."""
        return queryset.filter(tags__contains=[value])
