"""Getting a token, narrowing it, and what is not a token."""

import json
import logging

import pytest

from governance.kernel.ids import new_token
from governance.partners.models import AccessToken
from tests.factories.partners import FORM, basic_auth

ENDPOINTS = ["token", "introspect", "revoke"]
SAMPLE = {"token": {"grant_type": "client_credentials"}, "introspect": {"token": "x"}, "revoke": {"token": "x"}}


def test_a_token_covers_all_that_its_client_may_do_and_lives_15_minutes(ask, own_token, known):
    answer = ask()
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert body["scope"] == "asset.infer model.invoke"
    assert "refresh_token" not in body
    assert body["authorization_details"] == [
        {
            "type": "assent_job",
            "actions": ["asset.infer", "model.invoke"],
            "purposes": ["commercial", "research"],
            "models": ["espcn-x2", "sketch"],
        }
    ]
    seen = own_token(body["access_token"]).json()
    assert seen["client_id"] == known.client.client_id
    assert seen["partner"]["slug"] == known.client.partner.slug
    assert seen["authorization_details"] == body["authorization_details"]
    assert seen["scope"] == body["scope"]


def test_the_secret_may_also_come_in_the_form(oauth, known):
    form = {"client_id": known.client.client_id, "client_secret": known.secret}
    assert oauth("token", {}, grant_type="client_credentials", **form).status_code == 200


def test_a_request_narrows_what_the_token_covers(ask, own_token):
    details = [{"type": "assent_job", "purposes": ["research"], "models": ["sketch"], "datasets": ["zoo"]}]
    body = ask(scope="asset.infer", authorization_details=json.dumps(details)).json()
    assert body["scope"] == "asset.infer"
    covered = {
        "type": "assent_job",
        "actions": ["asset.infer"],
        "purposes": ["research"],
        "models": ["sketch"],
        "datasets": ["zoo"],
    }
    assert body["authorization_details"] == [covered]
    assert own_token(body["access_token"]).json()["authorization_details"] == [covered]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "asset.train"}, "invalid_scope"),
        ({"scope": "nul\x00"}, "invalid_scope"),
        ({"scope": '"quoted\\'}, "invalid_scope"),
        ({"authorization_details": '[{"type":"assent_job","models":["other"]}]'}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type":"payment"}]'}, "invalid_authorization_details"),
        ({"authorization_details": "{"}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type":"assent_job","models":["other"],"models":["sketch"]}]'},
         "invalid_authorization_details"),
        ({"authorization_details": '[{"\\"\\\\": 1, "\\"\\\\": 1}]'}, "invalid_authorization_details"),
        ({"authorization_details": "[" * 100_000}, "invalid_authorization_details"),
        ({"scope": "asset.infer", "authorization_details": '[{"type":"assent_job","actions":["model.invoke"]}]'},
         "invalid_authorization_details"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"scope": ["asset.infer", "model.invoke"]}, "invalid_request"),
    ],
)  # fmt: skip
def test_nothing_widens_a_token(ask, form, error):
    answer = ask(**form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json().get("error_description", "")).isdisjoint('"\\')
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    "grant_type",
    [
        "password",
        "authorization_code",
        "refresh_token",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "x",
    ],
)
def test_other_grants_are_refused(oauth, grant_type):
    answer = oauth("token", grant_type=grant_type, username="u", password="p", code="c", refresh_token="r")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_grant_type_is_needed(oauth):
    assert oauth("token").json()["error"] == "invalid_request"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic_auth("ghost", "x"),
        basic_auth("nul\x00", "x"),
        basic_auth("", ""),
        {"Authorization": "Basic"},
        {"Authorization": "Basic ä"},
        {"Authorization": "Basic /w=="},
        {"Authorization": "Basic eA"},
        {"Authorization": "Digest x"},
        {"Authorization": "Bearer x"},
    ],
    ids=["none", "unknown", "nul", "empty", "no credentials", "not ascii", "not utf-8", "cut off", "digest", "bearer"],
)
def test_a_client_that_does_not_authenticate_gets_nothing(oauth, endpoint, headers):
    answer = oauth(endpoint, headers, **SAMPLE[endpoint])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("secret", ["wrong", "", "x\x00y", "ü" * 100])
def test_a_wrong_secret_gets_nothing(oauth, known, secret):
    answer = oauth("token", basic_auth(known.client.client_id, secret), grant_type="client_credentials")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_the_stored_secret_is_of_no_use(ask, oauth, known):
    stored = known.client.client_secret
    answer = oauth("token", basic_auth(known.client.client_id, stored), grant_type="client_credentials")
    assert answer.status_code == 401


def test_parameters_in_the_url_are_refused(anonymous, known):
    url = "/api/v1/oauth/token?grant_type=client_credentials&x=%zz"
    answer = anonymous.post(url, "grant_type=client_credentials", FORM, headers=known.headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_only_forms_are_taken(anonymous, known, endpoint):
    answer = anonymous.post(f"/api/v1/oauth/{endpoint}", {}, content_type="application/json", headers=known.headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "not_authenticated"),
        ("Basic eDp5", "not_authenticated"),
        ("Bearer", "token_invalid"),
        ("Bearer a b", "token_invalid"),
        ("Bearer ä", "token_invalid"),
        ("Bearer nul\x00", "token_invalid"),
        ("Bearer " + "x" * 5000, "token_invalid"),
        (f"Bearer {new_token()}", "token_invalid"),
    ],
)
def test_anything_but_a_live_token_is_refused(anonymous, authorization, code):
    answer = anonymous.get("/api/v1/token", headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="assent"')


@pytest.mark.parametrize("place", ["query", "form"])
def test_a_token_counts_only_in_the_authorization_header(ask, anonymous, place):
    raw = ask().json()["access_token"]
    url = {"query": f"/api/v1/jobs?access_token={raw}", "form": "/api/v1/jobs"}[place]
    assert anonymous.post(url, f"access_token={raw}", FORM).status_code == 401


def test_neither_token_nor_secret_is_ever_logged(ask, oauth, own_token, known, caplog):
    caplog.set_level(logging.DEBUG)
    raw = ask().json()["access_token"]
    own_token(raw)
    oauth("introspect", token=raw)
    oauth("revoke", token=raw)
    own_token(raw)
    oauth("token", basic_auth(known.client.client_id, known.secret + "x"), grant_type="client_credentials")
    written = "\n".join([record.getMessage() for record in caplog.records] + [caplog.text])
    assert raw not in written
    assert known.secret not in written
