"""Lists page by page, and what is refused in their queries."""

import base64
from itertools import chain

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.catalog import AssetFactory, DatasetFactory
from tests.factories.registry import ModelAliasFactory

LISTS = ["/api/v1/jobs", "/api/v1/assets", "/api/v1/models", "/api/v1/decisions"]


def pages(api, url):
    seen = []
    while url:
        page = api.get(url).json()
        seen.append([work["id"] for work in page["results"]])
        url = page["next"]
    return seen


def test_every_row_is_on_exactly_one_page_newest_first(api, market):
    created = [str(market.asset.id), *(str(asset.id) for asset in AssetFactory.create_batch(6))]
    seen = pages(api, "/api/v1/assets?page_size=3")
    assert [len(page) for page in seen] == [3, 3, 1]
    assert [*chain(*seen)] == sorted(created, reverse=True)


def test_rows_that_come_in_between_are_not_seen_twice_and_push_none_out(api, market):
    AssetFactory.create_batch(3)
    first = api.get("/api/v1/assets?page_size=2").json()
    AssetFactory.create_batch(3)
    rest = pages(api, first["next"])
    assert len({work["id"] for work in first["results"]} | {*chain(*rest)}) == 4


def test_the_next_page_keeps_the_filter(api):
    AssetFactory.create_batch(3, tags=["cat"])
    AssetFactory.create_batch(3)
    assert [len(page) for page in pages(api, "/api/v1/assets?tag=cat&page_size=2")] == [2, 1]


def test_a_full_last_page_has_no_next(api, market):
    AssetFactory.create()
    assert api.get("/api/v1/assets?page_size=2").json()["next"] is None


@pytest.mark.parametrize("url", LISTS)
def test_the_number_of_queries_does_not_grow_with_the_page(api, submit, market, url):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get(url).status_code == 200
        return len(captured)

    submit()
    few = queries()
    for purpose in ("commercial", "research", "commercial"):
        submit(purpose=purpose)
        AssetFactory.create(dataset=DatasetFactory.create())
    ModelAliasFactory.create(name="production")
    assert queries() == few


@pytest.mark.parametrize("url", LISTS)
@pytest.mark.parametrize("size", ["0", "-1", "201", "x", "", "1.5", "9" * 5000, "\u0661", "%00"])
def test_a_page_size_out_of_bounds_is_refused(visitor, url, size):
    answer = visitor.get(f"{url}?page_size={size}")
    assert (answer.status_code, answer.json()["code"]) == (400, "query_invalid")
    assert answer.json()["errors"][0]["field"] == "page_size"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


@pytest.mark.parametrize("url", LISTS)
@pytest.mark.parametrize(
    "cursor", ["", "x", "ä", "%00", encoded(b"no key!"), encoded(b"a\x00b"), encoded(b"\xff"), encoded(b"' OR 1=1")]
)
def test_a_cursor_that_is_not_ours_is_refused(visitor, url, cursor):
    answer = visitor.get(f"{url}?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "query_invalid")
    assert answer.json()["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize("url", LISTS)
def test_an_unknown_parameter_is_refused_so_that_a_typo_widens_nothing(visitor, url):
    answer = visitor.get(f"{url}?stat=queued")
    assert (answer.status_code, answer.json()["code"]) == (400, "query_invalid")
    assert answer.json()["errors"][0]["field"] == "stat"


@pytest.mark.parametrize(
    "query",
    [
        "jobs?state=flying",
        "jobs?purpose=fun",
        "jobs?model=a%00b",
        "jobs?created_after=yesterday",
        "jobs?created_after=2026-13-45T00:00:00Z",
        "assets?status=lost",
        "assets?tag=%00",
        "assets?creator=%00",
        "models?task=dream",
        "models?owner=%00",
        "decisions?effect=maybe",
        "decisions?job_id=7",
        "decisions?decided_before=%00",
    ],
)
def test_a_bad_filter_value_is_refused(visitor, query):
    answer = visitor.get(f"/api/v1/{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["errors"][0]["field"] == query.partition("?")[2].partition("=")[0]


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("0001-01-01T00:00:00Z", 200),
        ("9999-12-31T23:59:59Z", 200),
        ("2026-11-20T00:00:00-23:59", 200),
        ("2026-11-20", 200),
        ("0001-01-01T00:00:00%2B23:59", 400),
        ("9999-12-31T23:59:59-23:59", 400),
    ],
)
def test_moments_at_the_edge(visitor, moment, status):
    assert visitor.get(f"/api/v1/jobs?created_after={moment}").status_code == status
