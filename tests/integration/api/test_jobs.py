"""Submitting, watching and cancelling jobs over HTTP."""

from unittest.mock import Mock

import pytest

from governance.audit.models import OutboxEntry
from governance.jobs.models import Job
from governance.rulebook.errors import NoActiveRevision
from tests.factories.marketplace import make_asset


def test_an_admitted_job_is_accepted_with_its_place(submit, api, market):
    answer = submit()
    body = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1/jobs/{body['id']}"
    assert answer.headers["Idempotency-Replayed"] == "false"
    assert body["state"] == "queued"
    assert body["model"] == {"slug": "espcn-x2", "version": "1.0.0"}
    assert body["inputs"] == [str(market.asset.id)]
    assert [event["to"] for event in body["events"]] == ["queued"]
    assert api.get(answer.headers["Location"]).json() == body


def test_a_denial_tells_decision_job_and_reasons(submit, api):
    answer = submit(purpose="research")
    body = answer.json()
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["code"] == "denied"
    assert body["type"] == "/api/problems/denied"
    assert [reason["code"] for reason in body["reasons"]] == ["consent_not_covered"]
    assert set(body["reasons"][0]) == {"code", "message"}
    assert body["detail"] == body["reasons"][0]["message"]
    assert api.get(f"/api/v1/decisions/{body['decision_id']}").json()["job_id"] == body["job_id"]
    job = api.get(f"/api/v1/jobs/{body['job_id']}").json()
    assert (job["state"], job["reason_code"]) == ("denied", "consent_not_covered")


def test_without_a_policy_the_answer_is_no(submit, monkeypatch):
    monkeypatch.setattr("governance.decisions.services.active_program", Mock(side_effect=NoActiveRevision("None.")))
    answer = submit()
    assert answer.status_code == 403
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["no_active_revision"]


@pytest.mark.parametrize(("purpose", "status"), [("commercial", 202), ("research", 403)])
def test_the_same_key_and_body_gets_the_same_answer_marked_as_replayed(submit, purpose, status):
    first, again = submit("k", purpose=purpose), submit("k", purpose=purpose)
    assert (first.status_code, again.status_code) == (status, status)
    assert again.headers["Idempotency-Replayed"] == "true"
    volatile = {"request_id"}
    assert {k: v for k, v in again.json().items() if k not in volatile} == {
        k: v for k, v in first.json().items() if k not in volatile
    }
    assert Job.objects.count() == 1


def test_a_replay_stays_accepted_when_the_job_was_cancelled_since(submit, api):
    first = submit("k").json()
    api.post(f"/api/v1/jobs/{first['id']}/cancel")
    again = submit("k")
    assert (again.status_code, again.json()["state"]) == (202, "cancelled")


def test_another_body_with_the_same_key_is_a_conflict(submit):
    first = submit("k").json()
    answer = submit("k", purpose="research")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert answer.json()["details"] == {"job_id": first["id"]}


def test_the_key_must_be_there(api, market):
    body = {"model": "espcn-x2", "task": "upscale", "purpose": "commercial", "inputs": [str(market.asset.id)]}
    answer = api.post("/api/v1/jobs", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    "key", ["x" * 129, "ümlaut", "tab\tinside", "null\x00"], ids=["long", "not ascii", "tab", "nul"]
)
def test_the_key_must_be_printable_and_short(submit, key):
    answer = submit(key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


def test_keys_belong_to_a_partner(submit, stranger, market):
    first, other = submit("k"), submit("k", by=stranger)
    assert other.headers["Idempotency-Replayed"] == "false"
    assert other.json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"model": ""}, "model", "blank"),
        ({"model": "no slug"}, "model", "invalid"),
        ({"model": "nul\x00"}, "model", "null_characters_not_allowed"),
        ({"model": 5.5}, "model", "invalid"),
        ({"model": None}, "model", "null"),
        ({"version": "../x"}, "version", "invalid"),
        ({"task": "dream"}, "task", "invalid_choice"),
        ({"task": ["upscale"]}, "task", "invalid_choice"),
        ({"purpose": "fun"}, "purpose", "invalid_choice"),
        ({"inputs": []}, "inputs", "min_length"),
        ({"inputs": "x"}, "inputs", "not_a_list"),
        ({"inputs": ["x"]}, "inputs.0", "invalid"),
        ({"inputs": ["01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a"] * 2}, "inputs", "duplicate"),
        ({"colour": "red"}, "colour", "unknown"),
    ],
)
def test_each_bad_field_is_named(submit, body, field, code):
    answer = submit(**body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    first = answer.json()["errors"][0]
    assert (first["field"], first["code"]) == (field, code)


@pytest.mark.parametrize(
    "raw",
    ["", "{", "[]", "5", '"x"', '{"a": NaN}', "[" * 100_000, '{"model": "\\ud800"}'],
    ids=["empty", "cut off", "list", "number", "text", "nan", "deep", "surrogate"],
)
def test_a_body_that_is_no_object_is_refused(api, raw):
    answer = api.post("/api/v1/jobs", raw, content_type="application/json", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": "ghost"}, 404, "model_not_found"),
        ({"version": "9.9"}, 404, "model_version_not_found"),
        ({"inputs": ["01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a"]}, 404, "asset_not_found"),
    ],
)
def test_what_does_not_exist_is_not_found(submit, body, status, code):
    answer = submit(**body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Job.objects.count() == 0


def test_two_inputs_are_not_what_this_task_takes(submit, market):
    answer = submit(inputs=[str(market.asset.id), str(make_asset(market.creator).id)])
    assert (answer.status_code, answer.json()["code"]) == (400, "task_mismatch")


def test_the_tier_limits_open_jobs(submit, market):
    market.partner.tier.max_open_jobs = 1
    market.partner.tier.save()
    assert submit().status_code == 202
    answer = submit()
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_open_jobs")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_narrowed_token_is_denied_what_it_does_not_cover(submit, market, caller):
    narrow = caller(market.client, models=frozenset({"sketch"}))
    answer = submit(by=narrow)
    assert answer.status_code == 403
    assert "token_model_not_covered" in [reason["code"] for reason in answer.json()["reasons"]]


def test_the_request_id_goes_into_the_record(api, market):
    body = {"model": "espcn-x2", "task": "upscale", "purpose": "commercial", "inputs": [str(market.asset.id)]}
    headers = {"Idempotency-Key": "k", "X-Request-ID": "trace-77"}
    answer = api.post("/api/v1/jobs", body, content_type="application/json", headers=headers)
    assert answer.headers["X-Request-ID"] == "trace-77"
    assert Job.objects.get().request_id == "trace-77"


def test_cancelling_a_waiting_job_ends_it_and_asking_twice_is_the_same(submit, api, market):
    job_id = submit().json()["id"]
    for _ in range(2):
        answer = api.post(f"/api/v1/jobs/{job_id}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    entry = OutboxEntry.objects.get(kind="job.cancelled")
    assert (entry.actor_type, entry.actor_id) == ("client", market.client.client_id)


def test_a_job_that_ended_otherwise_cannot_be_cancelled(submit, api):
    job_id = submit(purpose="research").json()["job_id"]
    answer = api.post(f"/api/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_transition_refused")
    assert answer.json()["details"] == {"state": "denied"}


def test_jobs_are_listed_newest_first_and_filtered(submit, api):
    admitted, denied = submit().json()["id"], submit(purpose="research").json()["job_id"]

    def ids(query: str) -> list[str]:
        return [job["id"] for job in api.get(f"/api/v1/jobs{query}").json()["results"]]

    assert ids("") == [denied, admitted]
    assert ids("?state=queued") == [admitted]
    assert ids("?purpose=research") == [denied]
    assert ids("?model=espcn-x2&task=upscale&state=denied") == [denied]
    assert ids("?model=ghost") == []
    assert ids("?created_before=2000-01-01T00:00:00Z") == []
    assert ids("?created_after=2000-01-01T00:00:00Z") == [denied, admitted]


@pytest.mark.parametrize(
    ("raw", "field", "reason"),
    [
        ('{"purpose": "research", "purpose": "commercial"}', "purpose", "the name occurs twice in one object"),
        ('{"parameters": {"a": [{"b": 1, "\\u0062": 2}]}}', "parameters.a.0.b", "the name occurs twice in one object"),
        ('{"parameters": {"a": 9007199254740992}}', "parameters.a", "the integer is larger than 9007199254740991"),
        ('{"model": "\\ud800"}', "model", "the text holds half of a surrogate pair"),
    ],
)
def test_json_that_a_gateway_could_read_otherwise_is_refused_with_its_place(api, raw, field, reason):
    answer = api.post("/api/v1/jobs", raw, content_type="application/json", headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (400, "body_malformed")
    assert answer.json()["errors"][0]["field"] == field
    assert reason in answer.json()["detail"]
