"""Errors over HTTP: always problem details, never a leak."""

from unittest.mock import Mock
from uuid import UUID

import pytest
from django.db import OperationalError
from django.test import Client

from governance.api.catalogue import problem_kinds

NOWHERE = ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/jobs", "/api/v1/jobs/", "/api/v1/jobs/7", "/api/%00"]


def assert_problem(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["type"] == f"/api/problems/{code}"
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert set(body) >= {"title", "detail"}


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("url", NOWHERE)
def test_there_is_nothing_at_other_urls(anonymous, method, url):
    assert_problem(getattr(anonymous, method)(url), 404, "not_found")


def test_csrf_protection_does_not_stand_in_the_way_of_a_404(address, db):
    strict = Client(REMOTE_ADDR=address, enforce_csrf_checks=True)
    assert_problem(strict.post("/api/v1/nothing"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "url", "allowed"),
    [
        ("delete", "/api/v1/jobs", {"GET", "POST"}),
        ("post", "/api/v1/models", {"GET"}),
        ("get", "/api/v1/oauth/token", {"POST"}),
        ("put", "/api/v1/token", {"GET"}),
    ],
)
def test_a_method_that_is_not_for_a_url_is_refused(visitor, method, url, allowed):
    answer = getattr(visitor, method)(url)
    assert_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= allowed


def test_another_media_type_is_refused(visitor):
    answer = visitor.post("/api/v1/jobs", "<job/>", content_type="application/xml", headers={"Idempotency-Key": "k"})
    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml", "nonsense"])
def test_accept_is_disregarded(visitor, accept):
    answer = visitor.get("/api/v1/token", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("charset", ["hex", "bz2_codec", "utf-16", "nonsense"])
def test_whatever_charset_is_claimed_everything_is_read_as_utf_8(api, market, charset):
    body = f'{{"model":"espcn-x2","task":"upscale","purpose":"commercial","inputs":["{market.asset.id}"]}}'
    content_type = f"application/json; charset={charset}"
    headers = {"Idempotency-Key": "k"}
    answer = api.generic("POST", "/api/v1/jobs", body, content_type=content_type, headers=headers)
    assert answer.status_code == 202
    listing = api.generic("GET", "/api/v1/jobs?state=queued", content_type=f"text/plain; charset={charset}")
    assert listing.status_code == 200


def test_a_json_body_over_the_limit_is_refused(visitor, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = visitor.post("/api/v1/jobs", {"model": "x" * 100}, content_type="application/json")
    assert_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "9" * 5000], ids=["text", "negative", "float", "huge"])
@pytest.mark.parametrize(
    ("url", "content_type"),
    [("/api/v1/jobs", "application/json"), ("/api/v1/assets", "multipart/form-data; boundary=x")],
)
def test_a_senseless_content_length_is_refused(visitor, url, content_type, length):
    answer = visitor.post(url, b"{}", content_type=content_type, CONTENT_LENGTH=length)
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize("url", ["/api/v1/jobs", "/api/v1/assets", "/api/v1/oauth/token"])
def test_a_body_in_chunks_is_refused_instead_of_taken_for_empty(visitor, url):
    answer = visitor.generic("POST", url, headers={"Transfer-Encoding": "chunked"})
    assert_problem(answer, 411, "length_required")


def test_an_unexpected_error_is_answered_without_details(visitor, monkeypatch):
    monkeypatch.setattr("governance.api.v1.jobs.views.jobs_within", Mock(side_effect=RuntimeError("secret: hunter2")))
    answer = visitor.get("/api/v1/jobs")
    assert_problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.content.decode()


def test_a_database_that_does_not_answer_is_a_503(visitor, monkeypatch):
    monkeypatch.setattr(
        "governance.api.v1.jobs.views.jobs_within", Mock(side_effect=OperationalError("connection to 10.1.2.3 failed"))
    )
    answer = visitor.get("/api/v1/jobs")
    assert_problem(answer, 503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "10.1.2.3" not in answer.content.decode()


def test_a_host_that_is_not_ours_is_refused_as_a_problem(visitor):
    answer = visitor.get("/api/v1/jobs", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "evil.example" not in answer.content.decode()


def test_pages_outside_the_api_keep_their_own_errors(anonymous):
    answer = anonymous.get("/nothing")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("offered", ["trace-1", "a.b_c:d", "x" * 64])
def test_a_sane_request_id_is_kept(anonymous, offered):
    answer = anonymous.get("/healthz", headers={"X-Request-ID": offered})
    assert answer.headers["X-Request-ID"] == offered


@pytest.mark.parametrize("offered", ["", "x" * 65, "a b", "é", "a\tb", "<script>"])
def test_any_other_request_id_is_replaced(anonymous, offered):
    answer = anonymous.get("/healthz", headers={"X-Request-ID": offered})
    assert UUID(answer.headers["X-Request-ID"]).version == 7


def test_every_problem_type_leads_to_its_explanation(anonymous):
    for code, kind in problem_kinds().items():
        answer = anonymous.get(f"/api/problems/{code}")
        assert answer.json() == {
            "code": code,
            "title": kind.title,
            "status": kind.status,
            "description": kind.description,
        }
    assert_problem(anonymous.get("/api/problems/nonsense"), 404, "not_found")


def test_a_refusal_says_what_to_send_instead(anonymous, api, submit, oauth):
    assert "Authorization: Bearer" in anonymous.get("/api/v1/models").json()["detail"]
    form = api.post("/api/v1/jobs", {"model": "espcn-x2"}, headers={"Idempotency-Key": "k"})
    assert form.json()["detail"] == "Send the body as application/json."
    assert "Must be one of" in submit(purpose="fun").json()["errors"][0]["message"]
    assert (
        oauth("token", grant_type="password").json()["error_description"]
        == "Only grant_type=client_credentials is offered."
    )


def test_a_session_cookie_of_the_console_is_no_fault(anonymous):
    anonymous.cookies["sessionid"] = "x" * 32
    assert anonymous.get("/healthz").status_code == 200
    assert anonymous.get("/api/v1/jobs").status_code == 401
