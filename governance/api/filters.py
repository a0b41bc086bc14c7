"""Filtering of lists. A query parameter that does not exist is refused, so that a typo never widens a list."""

from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django_filters import Filter
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from governance.api.errors import QueryInvalid
from governance.api.pagination import CURSOR, PAGE_SIZE

Row = TypeVar("Row", bound=Model)


class FilteredView(Protocol):
    """A view of a list, with the filter set that names its query parameters."""

    filterset_class: type[FilterSet]


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """Filters by the view's filter set. Raises QueryInvalid for unknown parameters, ValidationError for bad values."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Row], view: FilteredView) -> QuerySet[Row]:
        """Return the rows that match."""
        known = {*view.filterset_class.base_filters, CURSOR, PAGE_SIZE}
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            choices = ", ".join(sorted(known))
            raise QueryInvalid(f"There are only the query parameters {choices}.", details={"field": unknown[0]})
        found: QuerySet[Row] = super().filter_queryset(request, queryset, view)
        return found


def read_query(kind: type[Serializer[object]], request: Request) -> dict[str, Any]:
    """Return the query parameters as a serializer reads them.

    Raises QueryInvalid for unknown ones, ValidationError for bad values.
    """
    query = kind(data=request.query_params)
    unknown = sorted(set(request.query_params) - set(query.fields))
    if unknown:
        choices = ", ".join(sorted(query.fields))
        raise QueryInvalid(f"There are only the query parameters {choices}.", details={"field": unknown[0]})
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


class MomentField(IsoDateTimeField):  # type: ignore[misc]
    """A moment in UTC. PostgreSQL takes no offset of 16 hours or more, though RFC 3339 allows them."""

    def to_python(self, value: object) -> datetime | None:
        """Return the moment. Raises ValidationError, also for a moment outside the years 1 to 9999 in UTC."""
        moment: datetime | None = super().to_python(value)
        try:
            return None if moment is None else moment.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(Filter):  # type: ignore[misc]
    """Filters by a moment (RFC 3339)."""

    field_class = MomentField


class CreatedFilterSet(FilterSet):  # type: ignore[misc]
    """Filters by time of creation: at or after, and before."""

    created_after = MomentFilter(field_name="created_at", lookup_expr="gte", help_text="At or after (RFC 3339).")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt", help_text="Before (RFC 3339).")
