"""The OAuth 2.0 endpoints, and the bearer tokens they give out."""

import base64
import json
import logging
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.test import Client

from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.kernel.ids import new_token
from governance.kernel.vocabulary import Action, Purpose
from governance.partners.choices import PartnerStatus
from governance.partners.models import AccessToken
from governance.partners.services import revoke_partner_tokens
from tests.factories.partners import ACTOR, PartnerFactory, client_with_secret

FORM = "application/x-www-form-urlencoded"
ENDPOINTS = ["token", "introspect", "revoke"]
SAMPLE = {"token": {"grant_type": "client_credentials"}, "introspect": {"token": "x"}, "revoke": {"token": "x"}}


def basic(client_id: str, secret: str) -> dict[str, str]:
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


@pytest.fixture
def known(db) -> SimpleNamespace:
    client, secret = client_with_secret(
        actions=[Action.ASSET_INFER, Action.MODEL_INVOKE],
        purposes=[Purpose.RESEARCH, Purpose.COMMERCIAL],
        models=["espcn-x2", "sketch"],
    )
    return SimpleNamespace(client=client, secret=secret, headers=basic(client.client_id, secret))


@pytest.fixture
def oauth(anonymous: Client, known):
    """Return what posts a form to an OAuth endpoint as the known client."""

    def post(endpoint: str, headers=None, **form):
        headers = known.headers if headers is None else headers
        return anonymous.post(f"/api/v1/oauth/{endpoint}", urlencode(form, doseq=True), FORM, headers=headers)

    return post


@pytest.fixture
def ask(oauth):
    """Return what asks for a token."""

    def post(**form):
        return oauth("token", grant_type="client_credentials", **form)

    return post


def own_token(anonymous: Client, raw: str):
    return anonymous.get("/api/v1/token", headers={"Authorization": f"Bearer {raw}"})


def test_a_token_covers_all_that_its_client_may_do_and_lives_15_minutes(ask, anonymous, known):
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
    seen = own_token(anonymous, body["access_token"]).json()
    assert seen["client_id"] == known.client.client_id
    assert seen["partner"]["slug"] == known.client.partner.slug
    assert seen["authorization_details"] == body["authorization_details"]
    assert seen["scope"] == body["scope"]


def test_the_secret_may_also_come_in_the_form(oauth, known):
    form = {"client_id": known.client.client_id, "client_secret": known.secret}
    assert oauth("token", {}, grant_type="client_credentials", **form).status_code == 200


def test_a_request_narrows_what_the_token_covers(ask, anonymous):
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
    assert own_token(anonymous, body["access_token"]).json()["authorization_details"] == [covered]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "asset.train"}, "invalid_scope"),
        ({"scope": "nul\x00"}, "invalid_scope"),
        ({"scope": '"quoted\\'}, "invalid_scope"),
        ({"authorization_details": '[{"type":"assent_job","models":["other"]}]'}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type":"payment"}]'}, "invalid_authorization_details"),
        ({"authorization_details": "{"}, "invalid_authorization_details"),
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
        basic("ghost", "x"),
        basic("nul\x00", "x"),
        basic("", ""),
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
    answer = oauth("token", basic(known.client.client_id, secret), grant_type="client_credentials")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_the_stored_secret_is_of_no_use(ask, oauth, known):
    stored = known.client.client_secret
    answer = oauth("token", basic(known.client.client_id, stored), grant_type="client_credentials")
    assert answer.status_code == 401


def test_parameters_in_the_url_are_refused(anonymous, known):
    url = "/api/v1/oauth/token?grant_type=client_credentials&x=%zz"
    answer = anonymous.post(url, "grant_type=client_credentials", FORM, headers=known.headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_only_forms_are_taken(anonymous, known, endpoint):
    answer = anonymous.post(f"/api/v1/oauth/{endpoint}", {}, content_type="application/json", headers=known.headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_introspection_tells_of_the_partners_own_tokens(ask, oauth, known):
    token = ask(scope="asset.infer").json()
    body = oauth("introspect", token=token["access_token"]).json()
    stored = AccessToken.objects.get()
    assert body == {
        "active": True,
        "scope": "asset.infer",
        "client_id": known.client.client_id,
        "token_type": "Bearer",
        "exp": int(stored.expires.timestamp()),
        "iat": int(stored.created.timestamp()),
        "authorization_details": token["authorization_details"],
    }
    _, sibling_secret = sibling = client_with_secret(known.client.partner)
    headers = basic(sibling[0].client_id, sibling_secret)
    assert oauth("introspect", headers, token=token["access_token"]).json()["active"] is True


@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token", "nonsense"])
def test_introspection_of_an_unknown_token_says_no_more_than_not_active(oauth, hint):
    answer = oauth("introspect", token="ghost", token_type_hint=hint)
    assert answer.status_code in (200, 400)
    assert answer.json().get("active", False) is False


def test_introspection_of_another_partners_token_says_no_more_than_not_active(ask, oauth):
    raw = ask().json()["access_token"]
    other, secret = client_with_secret()
    assert oauth("introspect", basic(other.client_id, secret), token=raw).json() == {"active": False}


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
def test_a_token_must_be_named(oauth, endpoint):
    answer = oauth(endpoint)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_revoked_token_is_refused_at_once(ask, oauth, anonymous):
    raw = ask().json()["access_token"]
    assert oauth("revoke", token=raw).status_code == 200
    answer = own_token(anonymous, raw)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert oauth("introspect", token=raw).json() == {"active": False}
    assert oauth("revoke", token=raw).status_code == 200


def test_only_the_client_itself_can_revoke_its_tokens(ask, oauth, anonymous, known):
    raw = ask().json()["access_token"]
    sibling, secret = client_with_secret(known.client.partner)
    assert oauth("revoke", basic(sibling.client_id, secret), token=raw).status_code == 200
    assert own_token(anonymous, raw).status_code == 200


def test_revoking_all_of_a_partner_takes_effect_at_once_and_spares_others(ask, oauth, anonymous, known):
    mine = ask().json()["access_token"]
    other, secret = client_with_secret(PartnerFactory.create())
    theirs = oauth("token", basic(other.client_id, secret), grant_type="client_credentials").json()["access_token"]
    assert revoke_partner_tokens(partner=known.client.partner, actor=ACTOR, reason="key_leaked") == 1
    assert own_token(anonymous, mine).json()["code"] == "token_revoked"
    assert own_token(anonymous, theirs).status_code == 200
    assert own_token(anonymous, ask().json()["access_token"]).status_code == 200


def test_a_suspended_partner_is_refused_with_its_tokens(ask, anonymous, known):
    raw = ask().json()["access_token"]
    known.client.partner.status = PartnerStatus.SUSPENDED
    known.client.partner.save()
    assert own_token(anonymous, raw).json()["code"] == "partner_suspended"
    assert (ask().status_code, ask().json()["error"]) == (401, "invalid_client")


def test_a_token_ends_on_time(ask, anonymous):
    with clock.using(ManualClock(clock.now())) as now:
        raw = ask().json()["access_token"]
        now.advance(seconds=timedelta(minutes=15).total_seconds() - 1)
        assert own_token(anonymous, raw).status_code == 200
        now.advance(seconds=1)
        assert own_token(anonymous, raw).json()["code"] == "token_expired"


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


def test_neither_token_nor_secret_is_ever_logged(ask, oauth, anonymous, known, caplog):
    caplog.set_level(logging.DEBUG)
    raw = ask().json()["access_token"]
    own_token(anonymous, raw)
    oauth("introspect", token=raw)
    oauth("revoke", token=raw)
    own_token(anonymous, raw)
    oauth("token", basic(known.client.client_id, known.secret + "x"), grant_type="client_credentials")
    written = "\n".join([record.getMessage() for record in caplog.records] + [caplog.text])
    assert raw not in written
    assert known.secret not in written
