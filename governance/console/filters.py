"""Filters with a fixed vocabulary, which need no query of a long table."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import CheckboxFilter, MultipleDropdownFilter

from governance.audit.recording.areas import kinds_by_area
from governance.audit.recording.declarations import declarations, kinds_with_receipt
from governance.audit.recording.entries import ACTOR_TYPES
from governance.jobs.choices import JobState
from governance.jobs.states import ENDED
from governance.kernel.vocabulary import PURPOSE_CHOICES


def vocabulary_filter(column: str, title: str, choices: Iterable[tuple[str, Any]]) -> type[CheckboxFilter]:
    """Return a filter of checkboxes for a column with known values."""
    offered = list(choices)

    class Vocabulary(CheckboxFilter):  # type: ignore[misc]
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            """Return the choices of the filter."""
            return offered

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            """Return the rows that fit the choice."""
            chosen = self.value()
            return queryset.filter(**{f"{column}__in": chosen}) if chosen else queryset

    Vocabulary.title = title
    return Vocabulary


class AreaFilter(CheckboxFilter):  # type: ignore[misc]
    """Ledger entries by the area that declares their kinds."""

    title = "subject matter"
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices of the filter."""
        return [(area.label, area.name) for area in kinds_by_area()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that fit the choice."""
        chosen = self.value()
        kinds = [kind for area in kinds_by_area() if area.label in (chosen or ()) for kind in area.kinds]
        return queryset.filter(kind__in=kinds) if chosen else queryset


class KindFilter(MultipleDropdownFilter):  # type: ignore[misc]
    """Ledger entries by kind: a searchable list of every declared kind."""

    title = "kind"
    parameter_name = "kind"

    def offered(self) -> Iterable[str]:
        """Return the kinds to choose from, in order."""
        return sorted(declarations())

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices of the filter."""
        return [(kind, kind) for kind in self.offered()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that fit the choice."""
        chosen = [kind for kind in self.value() or () if kind]
        return queryset.filter(kind__in=chosen) if chosen else queryset


class ReceiptKindFilter(KindFilter):
    """Receipts by the kind of the entry that they came with."""

    def offered(self) -> Iterable[str]:
        return kinds_with_receipt()


PurposeFilter = vocabulary_filter("purpose", "purpose", PURPOSE_CHOICES)
ActorFilter = vocabulary_filter("actor_type", "actor", [(name, name.capitalize()) for name in sorted(ACTOR_TYPES)])
ENDINGS = [(state.value, state.label) for state in JobState if state in ENDED]
OutcomeFilter = vocabulary_filter("outcome", "outcome", ENDINGS)
