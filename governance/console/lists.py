"""Lists of rows, and what becomes of a query that no list can answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import FieldError, SuspiciousOperation, ValidationError
from django.db import DataError
from django.http import HttpRequest
from unfold.views import ChangeList

from governance.console.errors import QueryUnanswerable

#: What the framework and the database raise for a filter, a value or a page that does not exist.
_UNANSWERABLE = (
    IncorrectLookupParameters,
    SuspiciousOperation,
    ValidationError,
    FieldError,
    ValueError,
    OverflowError,
    DataError,
)


class ConsoleChangeList(ChangeList):  # type: ignore[misc]
    """A list that loads what its columns need for all rows of a page at once."""

    result_list: Any

    def get_filters(self, request: HttpRequest) -> tuple[list[Any], bool, dict[str, Any], bool, bool]:
        """Return the filters and what they ask for. Raises QueryUnanswerable for a parameter that is no filter's:
        Django would take it as a lookup of any kind in any column, by regular expressions and without an index."""
        found: tuple[list[Any], bool, dict[str, Any], bool, bool] = super().get_filters(request)
        bounds = {f"{self.date_hierarchy}__{bound}" for bound in ("gte", "lt")}
        unknown = sorted(set(found[2]) - bounds)
        if unknown:
            raise QueryUnanswerable(f"There is no filter “{unknown[0][:50]}” here.")
        return found

    def get_results(self, request: HttpRequest) -> None:
        """Return a page of rows, prepared for their columns. Raises QueryUnanswerable for a page past the last."""
        super().get_results(request)
        if not self.multi_page and self.page_num != 1:
            raise QueryUnanswerable("The list has one page.")
        rows: list[Any] = list(self.result_list)
        self.result_list = rows
        self.model_admin.prepare(rows)


@contextmanager
def answerable(request: HttpRequest) -> Iterator[None]:
    """Raise QueryUnanswerable for whatever a query of the list leads to; without one, an error is ours and stays."""
    try:
        yield
    except _UNANSWERABLE as error:
        if not request.GET:
            raise
        raise QueryUnanswerable("A filter, its value or the page asked for does not exist.") from error
