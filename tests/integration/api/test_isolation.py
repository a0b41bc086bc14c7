"""Partner A's things are never seen or touched by partner B.

Every operation that takes an id, every list and every query by id is found by reading the OpenAPI document, so that a
new endpoint is covered the day it appears; one with a new kind of id fails until `own` has a thing of that kind.
"""

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.generators import SchemaGenerator

from governance.api.schema import BEARER
from governance.catalog.models import Asset
from governance.jobs.models import Job
from tests.factories.images import image_bytes
from tests.factories.marketplace import finish

METHODS = ["get", "post", "put", "patch", "delete"]
#: Things that belong to no partner, and the operations that take no token.
COMMON = {
    "/api/v1/models/{slug}",
    "/api/problems/{code}",
    "/log/tile/{place}",
    "/log/tile/entries/{place}",
}
OPEN = {
    "authzen_configuration",
    "get_token",
    "introspect_token",
    "revoke_token",
    "rotate_own_secret",
    "end_own_earlier_secret",
    "revoke_own_tokens",
    "health",
    "readiness",
    "explain_problem",
    "get_log_checkpoint",
    "get_log_entries",
    "get_log_tile",
    "prove_log_consistency",
    "prove_log_inclusion",
}


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """Return (method, path, operation) for the whole document."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return [(method, path, item[method]) for path, item in paths.items() for method in METHODS if method in item]


OPERATIONS = operations()
BY_ID = [(method, path) for method, path, _ in OPERATIONS if "{" in path and path not in COMMON]
LISTS = [path for _, path, operation in OPERATIONS if operation["operationId"].startswith("list_")]
QUERIES_BY_ID = [
    (path, parameter["name"])
    for _, path, operation in OPERATIONS
    for parameter in operation.get("parameters", [])
    if parameter["in"] == "query" and parameter["schema"].get("format") == "uuid"
]
GUARDED = [(method, path) for method, path, operation in OPERATIONS if operation["operationId"] not in OPEN]


@pytest.fixture
def own(api, submit, market) -> dict[str, str]:
    """Return the id of one thing of every kind that A owns: an upload, a released job, its admission."""
    form = {"creator": "ada", "title": "Secret title", "file": SimpleUploadedFile("x.png", image_bytes(seed=3))}
    asset_id = api.post("/api/v1/assets", form).json()["id"]
    job = finish(submit(inputs=[asset_id]).json()["id"])
    return {"assets": asset_id, "jobs": str(job.id), "decisions": str(job.admission_id)}


def url_of(path: str, ids: dict[str, str]) -> str:
    """Return the path with its id filled in: that of the kind of thing that the segment before it names."""
    kind = path.partition("/{")[0].rpartition("/")[2]
    return path.replace("{id}", ids[kind])


def send(caller, method: str, url: str):
    return getattr(caller, method)(url, headers={"Idempotency-Key": uuid4().hex})


def told(answer) -> dict[str, Any]:
    return answer.json() | {"request_id": None}


def test_the_document_has_operations_to_try():
    assert len(BY_ID) >= 6
    assert len(LISTS) >= 4
    assert QUERIES_BY_ID


@pytest.mark.parametrize(("method", "path"), BY_ID)
def test_another_partners_object_is_as_unknown_as_one_that_does_not_exist(own, api, stranger, method, path):
    before = list(Job.objects.values()), list(Asset.objects.values())
    refused = send(stranger, method, url_of(path, own))
    absent = send(stranger, method, url_of(path, dict.fromkeys(own, str(uuid4()))))
    assert (refused.status_code, absent.status_code) == (404, 404)
    assert told(refused) == told(absent)
    assert refused.headers.keys() == absent.headers.keys()
    assert (list(Job.objects.values()), list(Asset.objects.values())) == before
    assert send(api, method, url_of(path, own)).status_code != 404


@pytest.mark.parametrize("path", LISTS)
def test_lists_show_nothing_of_another_partner(own, api, stranger, path):
    seen = stranger.get(path).content.decode()
    mine = api.get(path).content.decode()
    assert not [thing for thing in [*own.values(), "Secret title"] if thing in seen]
    assert (own | {"models": "espcn-x2"})[path.rpartition("/")[2]] in mine


@pytest.mark.parametrize(("path", "parameter"), QUERIES_BY_ID)
def test_asking_for_another_partners_ids_finds_nothing(own, stranger, path, parameter):
    for thing in own.values():
        assert stranger.get(path, {parameter: thing}).json()["results"] == []


def test_another_partners_work_cannot_be_an_input(own, submit, stranger):
    answer = submit(by=stranger, inputs=[own["assets"]])
    absent = submit(by=stranger, inputs=[str(uuid4())])
    assert (answer.status_code, answer.json()["code"]) == (404, "asset_not_found")
    assert told(answer)["detail"] == told(absent)["detail"]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_a_token_there_is_no_answer(anonymous, method, path):
    url = path.replace("{id}", str(uuid4())).replace("{slug}", "x")
    answer = send(anonymous, method, url)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_the_document_says_which_operations_take_a_token():
    taking = {
        operation["operationId"] for _, _, operation in OPERATIONS if {BEARER: []} in operation.get("security", [])
    }
    assert taking == {operation["operationId"] for _, _, operation in OPERATIONS} - OPEN
