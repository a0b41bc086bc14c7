"""Requests as an attacker, a broken client or a curious person sends them, for every URL that the project has.

URLs come from Django's resolver and tables from the console's registry, so that a new page is tried without being
named here. What a page reads from a query or a form is found by watching it read: see `names_read`.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import pytest
from django.contrib import admin
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize

from governance.api.handlers import API_PREFIX
from tests.effort import examples

T = TypeVar("T")

#: Text for a query or a form field, as bytes in a URL: each is refused by another layer if nobody looks before.
TEXTS = {
    "nul": "%00",
    "nul inside": "a%00b",
    "empty": "",
    "negative": "-1",
    "past bigint": "9" * 25,
    "past Python's digits": "9" * 5000,
    "year 99999": "99999",
    "year 9999": "9999",
    "year 0": "0",
    "infinite": "1e999",
    "not a number": "nan",
    "other digits": quote("²٣"),
    "no id": "not-an-id",
    "some id": "00000000-0000-0000-0000-000000000000",
    "half a character": "%ED%A0%80",
    "not UTF-8": "%FF%FE",
    "beyond the BMP": quote("💩"),
    "a bad pattern": quote("([*"),
    "quotes": quote("'\"\\;--<script>{{7*7}}"),
    "a path": quote("../../etc/passwd", safe=""),
    "long": "x" * 20_000,
    "a list": "1,2,,x",
    "date past all": "9999-12-31T23:59:59-14:00",
    "date before all": "0001-01-01T00:00:00+14:00",
    "no date": "2026-02-30",
    "no time": quote("25:61:61"),
    "JSON": quote("[" * 3000 + "{"),
}
#: What takes the place of an id or a name in a path.
PLACES = [
    "%00",
    "_00",
    "-1",
    "0",
    "9" * 25,
    "not-an-id",
    "%ED%A0%80",
    quote("💩"),
    "x" * 3000,
    "..%2F..%2Fx",
    "%25",
    "_5F",
]
LOOKUPS = ["exact", "in", "isnull", "gte", "range", "regex", "iregex", "contains", "year", "date", "week_day", "hour",
           "len", "0", "pk", "bogus", "has_key", "contained_by", "overlap", "trigram_similar", "search"]  # fmt: skip
#: Parameters that the console's framework reads by itself, whatever the table.
OF_LISTS = ["q", "p", "o", "ot", "e", "all", "_facets", "_popup", "_to_field", "_changelist_filters", "pk", "id",
            "bogus", "__", "a__b__c", "password", "password__startswith", "partner__tier__slug", "%00"]  # fmt: skip

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Route:
    """A URL pattern as text with `{name}` for each parameter, and the name of each parameter's converter."""

    template: str
    converters: dict[str, str] = field(default_factory=dict)

    @property
    def is_console(self) -> bool:
        return self.template.startswith("/admin/")

    def filled(self, value: str) -> str:
        """Return a URL with the value in every place that takes any text, and an id or a slug in the others."""
        fixed = {"uuid": str(UUID(int=0)), "slug": "x", "int": "1"}
        places = {name: fixed.get(kind, value) for name, kind in self.converters.items()}
        return self.template.format(**places)


def routes() -> list[Route]:
    """Return every URL pattern of the project."""
    found = {route.template: route for route in _walk(get_resolver().url_patterns, "", {})}
    return [found[template] for template in sorted(found)]


def _walk(patterns: Sequence[URLPattern | URLResolver], before: str, known: dict[str, str]) -> Iterator[Route]:
    for each in patterns:
        pattern = before + each.pattern.regex.pattern.removeprefix("^")
        converters = known | {name: _name_of(c) for name, c in each.pattern.converters.items()}
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, pattern, converters)
            continue
        for template, names in normalize(pattern):
            kinds = {name: converters.get(name, "path") for name in names}
            yield Route("/" + template.replace("%(", "{").replace(")s", "}"), kinds)


def _name_of(converter: object) -> str:
    return type(converter).__name__.removesuffix("Converter").lower()


def row_urls(route: Route) -> list[str]:
    """Return the route's URLs of a real row of the table that it belongs to, if it belongs to one."""
    _, _, app, table, *_ = [*route.template.split("/"), "", "", ""]
    for model in admin.site._registry:
        if (model._meta.app_label, model._meta.model_name) == (app, table) and "object_id" in route.converters:
            row = model._default_manager.order_by("pk").first()
            return [] if row is None else [route.template.format(object_id=admin.utils.quote(row.pk))]
    return []


@contextmanager
def names_read() -> Iterator[set[str]]:
    """Collect the names that are looked up in queries and forms meanwhile."""
    names: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        for method in ("__getitem__", "__contains__", "getlist"):
            patch.setattr(QueryDict, method, _noting(getattr(QueryDict, method), names))
        yield names


def _noting(method: Any, names: set[str]) -> Any:
    def noted(query: QueryDict, name: Any, *rest: Any) -> Any:
        names.add(str(name))
        return method(query, name, *rest)

    return noted


class Attacker:
    """Sends requests and remembers those that were answered by a fault of ours."""

    def __init__(self, client: Client) -> None:
        """Send by `client`, with what it is logged in as."""
        self.client = client
        self.client.raise_request_exception = False
        self.sent = 0
        self.faults: list[str] = []

    def send(self, method: str, url: str, data: Any = b"", **more: Any) -> Any:
        """Send a request and return the answer; a fault is remembered with its cause."""
        self.sent += 1
        sent = {"data": data, "content_type": "application/octet-stream"} | more
        answer = self.client.generic(method, url, **sent)
        if answer.status_code >= 500 or (answer.status_code >= 400 and not _looks_right(url, answer)):
            _, error, _ = getattr(answer, "exc_info", None) or (None, answer.getvalue(), None)
            self.faults.append(f"{method} {url[:SHOWN]} {str(sent['data'])[:SHOWN]}: {error!r:.{SHOWN}}")
        return answer

    def report(self) -> str:
        """Return the faults, one a line."""
        return "\n".join([f"{len(self.faults)} of {self.sent} requests made an error of the server:", *self.faults])


def _looks_right(url: str, answer: HttpResponse) -> bool:
    """Return whether an error of the API is a problem document; other pages answer as they please."""
    return "json" in answer.headers.get("Content-Type", "json") or not url.startswith(API_PREFIX)


def thinned(cases: Iterable[T], few: int) -> list[T]:
    """Return `few` of the cases, the same ones in each run, and ten times as many in a long run."""
    found = list(cases)
    return random.Random(20261128).sample(found, min(examples(few), len(found)))
