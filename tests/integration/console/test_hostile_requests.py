"""No request of somebody who may see and do everything in the console makes an error of the server."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import transaction
from django.db.models import Model

from governance.console.presentation import list_url
from tests.factories.partners import FORM
from tests.hostile import LOOKUPS, OF_LISTS, PLACES, TEXTS, Attacker, names_read, routes, row_urls, thinned

pytestmark = pytest.mark.django_db(transaction=True)

OF_CONSOLE = [route for route in routes() if route.is_console and "logout" not in route.template]


@pytest.fixture
def attacker(everything, boss) -> Attacker:
    return Attacker(boss)


def query_names(attacker: Attacker, model: type[Model]) -> list[str]:
    """Return the names of query parameters that a list may look at: of its filters, and lookups of its columns."""
    shown = attacker.send("GET", list_url(model)).context["cl"]
    of_filters = [name for spec in shown.filter_specs for name in spec.expected_parameters() if name]
    hierarchy = [f"{shown.date_hierarchy}__{part}" for part in ("year", "month", "day")] if shown.date_hierarchy else []
    columns = [f"{column.name}__{lookup}" for column in model._meta.fields for lookup in LOOKUPS]
    return [*of_filters, *hierarchy, *thinned([*columns, *OF_LISTS], len(of_filters) + 5)]


def test_no_query_of_a_list_is_a_fault(attacker):
    tables = sorted(admin.site._registry, key=lambda model: model._meta.label)
    names = [(model, name) for model in tables for name in query_names(attacker, model)]
    for (model, name), text in thinned(product(names, TEXTS.values()), 200):
        attacker.send("GET", list_url(model, f"?{name}={text}"))
    assert not attacker.faults, attacker.report()


def test_no_address_is_a_fault(attacker):
    urls = {route.filled(place) for route in OF_CONSOLE for place in thinned(PLACES, 2)}
    for url, method in thinned(product(sorted(urls), ("GET", "POST")), 150):
        attacker.send(method, url)
    assert not attacker.faults, attacker.report()


def test_nothing_that_a_page_reads_from_its_query_is_a_fault(attacker):
    cases = [
        (url, quote(name), text) for url in pages() for name in read_from(url, attacker) for text in TEXTS.values()
    ]
    for url, name, text in thinned(cases, 100):
        attacker.send("GET", f"{url}?{name}={text}")
    assert not attacker.faults, attacker.report()


def test_nothing_that_a_form_reads_is_a_fault(attacker):
    for url in pages():
        with names_read() as names, undone():
            attacker.send("POST", url, "", content_type=FORM)
        for text in thinned(TEXTS.values(), 1):
            with undone():
                attacker.send(
                    "POST", url, "&".join(f"{quote(name)}={text}" for name in sorted(names)), content_type=FORM
                )
    assert not attacker.faults, attacker.report()


def read_from(url: str, attacker: Attacker) -> list[str]:
    """Return the names that a page looks for in its query."""
    with names_read() as names:
        attacker.send("GET", url)
    return sorted(names)


def pages() -> list[str]:
    """Return the address of every page of the console, of a real row where it is a row's."""
    return [url for route in OF_CONSOLE for url in (row_urls(route) if route.converters else [route.template])]


@contextmanager
def undone() -> Iterator[None]:
    """Undo what is done within, so that each request meets the same rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
