"""Filtering of lists. A query parameter that does not exist is refused, so that a typo never widens a list."""

from typing import Any

from django.db.models import Model, QuerySet
from django_filters.rest_framework import DjangoFilterBackend, FilterSet, IsoDateTimeFilter
from rest_framework.request import Request

from governance.api.errors import QueryInvalid
from governance.api.pagination import CURSOR, PAGE_SIZE


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """Filters by the view's filter set. Raises QueryInvalid for unknown parameters, ValidationError for bad values."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Model], view: Any) -> Any:
        """Return the rows that match."""
        known = {*view.filterset_class.base_filters, CURSOR, PAGE_SIZE}
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            choices = ", ".join(sorted(known))
            raise QueryInvalid(f"There are only the query parameters {choices}.", details={"field": unknown[0]})
        return super().filter_queryset(request, queryset, view)


class CreatedFilterSet(FilterSet):  # type: ignore[misc]
    """Filters by time of creation: at or after, and before."""

    created_after = IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", help_text="At or after this time (RFC 3339)."
    )
    created_before = IsoDateTimeFilter(
        field_name="created_at", lookup_expr="lt", help_text="Before this time (RFC 3339)."
    )
