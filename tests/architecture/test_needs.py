"""Every route of the API says what it needs, and docs/tokens.md says the same."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from governance.api.authentication import TokenAuthentication
from governance.api.needs import Caller, Need
from governance.api.permissions import HasPartnerToken

ROOT = Path(__file__).parents[2]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: Pages for people, which have their own tests.
PAGES = ("admin/", "verify", "predicates/")
#: The documentation of the API, for everybody, and what answers at unknown addresses.
OPEN = {"", "api/schema", "api/docs", r"^api(/.*)?\Z", r"log/^.*\Z"}


def routes() -> Iterator[tuple[str, type[APIView] | None]]:
    """Return every route outside the console with its view."""
    yield from _routes(get_resolver().url_patterns, "")


def _routes(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, type[APIView] | None]]:
    for each in patterns:
        route = f"{prefix}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from _routes(each.url_patterns, route)
        elif not route.startswith(PAGES):
            yield route, getattr(each.callback, "cls", None)


ROUTES = [(route, view) for route, view in routes() if route not in OPEN]
DECLARED = [
    (method, route, view, view.needs.get(method))
    for route, view in ROUTES
    if view is not None and hasattr(view, "needs")
    for method in METHODS
    if hasattr(view, method.lower())
]


def test_every_route_is_a_view_that_declares_its_needs() -> None:
    assert [route for route, view in ROUTES if view is None or not hasattr(view, "needs")] == []
    assert [(method, route) for method, route, _, need in DECLARED if not isinstance(need, Need)] == []
    assert len(DECLARED) > 30


@pytest.mark.parametrize(
    ("method", "route", "view", "need"), DECLARED, ids=[f"{method} {route}" for method, route, _, _ in DECLARED]
)
def test_a_need_of_a_token_is_enforced(method: str, route: str, view: type[APIView], need: Need) -> None:
    by_token = TokenAuthentication in view.authentication_classes and HasPartnerToken in view.permission_classes

    assert by_token == (need.caller is Caller.TOKEN)


def test_the_table_in_the_docs_has_every_route_that_takes_a_token() -> None:
    written = (ROOT / "docs" / "tokens.md").read_text()
    needs = [(method, re.sub(r"<\w+:(\w+)>", r"{\1}", route), need) for method, route, _, need in DECLARED]
    rows = [f"| `{method} /{route}` | {need.sentence()} |" for method, route, need in needs if need.sentence()]

    assert [row for row in rows if row not in written] == []
    assert len(re.findall(r"^\| `[A-Z]+ /", written, re.MULTILINE)) == len(rows)
