"""Lists by keyset: a page begins after the last row of the page before, so rows are neither skipped nor seen twice.

`next` is the URL of the next page, null on the last one. A cursor is opaque; it names a row's key and grants nothing.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from governance.api.errors import QueryInvalid

DEFAULT_SIZE = 50
MAX_SIZE = 200
CURSOR = "cursor"
PAGE_SIZE = "page_size"


Row = TypeVar("Row")


class KeysetPagination(BasePagination):
    """Pages over a unique, sortable key. Subclasses say which."""

    key: str
    descending: bool

    def read_key(self, text: str) -> object:
        """Return the key that a cursor holds. Raises ValueError."""
        raise NotImplementedError

    def paginate_queryset(
        self, queryset: QuerySet[Model, Row] | Sequence[Row], request: Request, view: object = None
    ) -> list[Row]:
        """Return one page of rows. Raises QueryInvalid for a bad cursor or page size."""
        if not isinstance(queryset, QuerySet):
            raise TypeError("only a query can be read in pages")
        size = _page_size(request)
        after = self._position(request)
        if after is not None:
            comparison = "lt" if self.descending else "gt"
            queryset = queryset.filter(**{f"{self.key}__{comparison}": after})
        rows = list(queryset.order_by(f"-{self.key}" if self.descending else self.key)[: size + 1])
        self.next_url = self._url_after(rows[size - 1], request) if len(rows) > size else None
        return rows[:size]

    def get_paginated_response(self, data: object) -> Response:
        """Return the page with the way to the next one."""
        return Response({"next": self.next_url, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, object]) -> dict[str, object]:
        """Return the schema of a page."""
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": "The next page; null on the last one.",
                },
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: object) -> list[dict[str, object]]:
        """Return the query parameters of a paginated list."""
        size = {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE}
        return [
            {
                "name": CURSOR,
                "in": "query",
                "required": False,
                "description": "Where the page begins; taken from `next`.",
                "schema": {"type": "string"},
            },
            {
                "name": PAGE_SIZE,
                "in": "query",
                "required": False,
                "description": "Rows per page.",
                "schema": size,
            },
        ]

    def _position(self, request: Request) -> object:
        cursor = request.query_params.get(CURSOR)
        if cursor is None:
            return None
        try:
            return self.read_key(
                base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
            )
        except (binascii.Error, ValueError) as error:
            raise QueryInvalid("The cursor is not valid; take it from 'next'.", details={"field": CURSOR}) from error

    def _url_after(self, row: object, request: Request) -> str:
        cursor = base64.urlsafe_b64encode(str(getattr(row, self.key)).encode("ascii")).decode("ascii")
        return str(replace_query_param(request.build_absolute_uri(), CURSOR, cursor))


class NewestFirst(KeysetPagination):
    """By id, newest first: ids are UUIDv7, which sort by time of creation."""

    key = "id"
    descending = True

    def read_key(self, text: str) -> UUID:
        """Return the id. Raises ValueError."""
        return UUID(text)


class BySlug(KeysetPagination):
    """By slug, in alphabetical order."""

    key = "slug"
    descending = False

    def read_key(self, text: str) -> str:
        """Return the slug. Raises ValueError."""
        if not re.fullmatch(r"[-a-zA-Z0-9_]{1,50}", text):
            raise ValueError(text)
        return text


def _page_size(request: Request) -> int:
    given = request.query_params.get(PAGE_SIZE)
    if given is None:
        return DEFAULT_SIZE
    if not re.fullmatch(r"0*[0-9]{1,3}", given, re.ASCII) or not 1 <= int(given) <= MAX_SIZE:
        raise QueryInvalid(f"The page size must be from 1 to {MAX_SIZE}.", details={"field": PAGE_SIZE})
    return int(given)
