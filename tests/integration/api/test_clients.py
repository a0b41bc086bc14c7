"""A partner's own API client over HTTP: looking, a new secret, and assertions instead of secrets."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from governance.audit.models import OutboxEntry
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.partners.assertions import ASSERTION_TYPE
from governance.partners.client_access import disable_client
from governance.partners.client_keys import add_key
from governance.partners.client_secrets import rotate_secret
from tests.factories.assertions import claims, private_key, public_jwk, signed
from tests.factories.partners import ACTOR, FORM, basic_auth

KEY = private_key("ES256")


@pytest.fixture
def credentials(anonymous, known):
    """Return what posts a form to an endpoint about credentials."""

    def post(path: str, secret: str = "", **form):
        headers = basic_auth(known.client.client_id, secret or known.secret)
        return anonymous.post(f"/api/v1/client/{path}", urlencode(form), FORM, headers=headers)

    return post


@pytest.fixture
def token_by(anonymous, known):
    """Return what asks for a token by a secret."""

    def post(secret: str):
        headers = basic_auth(known.client.client_id, secret)
        return anonymous.post("/api/v1/oauth/token", "grant_type=client_credentials", FORM, headers=headers)

    return post


def test_a_client_sees_itself_without_secrets(caller, known):
    answer = caller(known.client).get("/api/v1/client")

    body = answer.json()
    assert (body["client_id"], body["name"], body["keys"]) == (known.client.client_id, "server", [])
    assert body["last_used_at"] is not None
    assert body["authorization_details"][0]["models"] == ["espcn-x2", "sketch"]
    assert "client_secret" not in answer.content.decode()


def test_a_client_gives_itself_a_new_secret_and_both_are_good_for_a_day(credentials, token_by, known):
    now = ManualClock(clock.now())
    with clock.using(now):
        answer = credentials("secret")
        body = answer.json()
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert body["earlier_secret_until"] is not None
        assert token_by(known.secret).status_code == token_by(body["client_secret"]).status_code == 200
        now.advance(seconds=86_400)
        assert (token_by(known.secret).status_code, token_by(body["client_secret"]).status_code) == (401, 200)
    entry = OutboxEntry.objects.get(kind="client.secret_rotated")
    assert (entry.actor_type, entry.actor_id) == ("client", known.client.client_id)
    assert body["client_secret"] not in bytes(entry.body).decode()


def test_the_overlap_may_be_none_or_end_early(credentials, token_by, known):
    second = credentials("secret", overlap_seconds=3600).json()["client_secret"]
    assert token_by(known.secret).status_code == 200
    assert credentials("secret/end-earlier", second).status_code == 200
    assert token_by(known.secret).status_code == 401
    assert credentials("secret/end-earlier", second).status_code == 400

    third = credentials("secret", second, overlap_seconds=0).json()
    assert third["earlier_secret_until"] is None
    assert token_by(second).status_code == 401


@pytest.mark.parametrize("path", ["secret", "secret/end-earlier", "tokens/revoke"])
def test_an_earlier_secret_changes_nothing(credentials, known, path):
    rotate_secret(client=known.client, earlier_until=clock.now() + timedelta(hours=1), actor=ACTOR)

    answer = credentials(path)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert "newest secret" in answer.json()["error_description"]


@pytest.mark.parametrize("path", ["secret", "secret/end-earlier", "tokens/revoke"])
def test_a_wrong_secret_or_a_token_changes_nothing(anonymous, caller, credentials, known, path):
    assert credentials(path, "wrong").status_code == 401
    assert caller(known.client).post(f"/api/v1/client/{path}", "", FORM).status_code == 401
    assert anonymous.post(f"/api/v1/client/{path}", "", FORM).status_code == 401


@pytest.mark.parametrize("seconds", [-1, 604_801, "soon"])
def test_an_overlap_out_of_bounds_is_refused(credentials, token_by, known, seconds):
    assert credentials("secret", overlap_seconds=seconds).status_code == 400
    assert token_by(known.secret).status_code == 200


def test_a_client_revokes_all_its_tokens(caller, credentials, known):
    user = caller(known.client)
    assert user.get("/api/v1/token").status_code == 200

    assert credentials("tokens/revoke").json() == {"live_tokens": 1}

    assert user.get("/api/v1/token").json()["code"] == "token_revoked"


def test_a_disabled_client_is_shut_out_at_once(caller, credentials, token_by, known):
    user = caller(known.client)
    disable_client(client=known.client, reason="secret_leaked", actor=ACTOR)

    assert user.get("/api/v1/token").json()["code"] == "token_revoked"
    assert (token_by(known.secret).status_code, credentials("secret").status_code) == (401, 401)


@pytest.fixture
def by_assertion(anonymous, known):
    """Return what posts a form to an endpoint by an assertion of the known client."""
    add_key(client=known.client, jwk=public_jwk("ES256", KEY, kid="k"), actor=ACTOR)

    def post(path: str = "oauth/token", headers=None, **form):
        sound = {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": signed("ES256", KEY, claims(known.client.client_id), header={"kid": "k"}),
            "grant_type": "client_credentials",
        }
        body = {name: value for name, value in (sound | form).items() if value is not None}
        return anonymous.post(f"/api/v1/{path}", urlencode(body), FORM, headers=headers or {})

    return post


def test_an_assertion_gets_a_token_once(by_assertion, own_token, known):
    answer = by_assertion()
    assert answer.status_code == 200
    assert own_token(answer.json()["access_token"]).json()["client_id"] == known.client.client_id

    again = signed("ES256", KEY, claims(known.client.client_id))
    assert by_assertion(client_assertion=again).status_code == 200
    refused = by_assertion(client_assertion=again)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert "used before" in refused.json()["error_description"]
    assert "WWW-Authenticate" in refused.headers


def test_the_client_id_may_be_sent_beside_an_assertion(by_assertion, known):
    assert by_assertion(client_id=known.client.client_id).status_code == 200
    assert by_assertion(client_id="other").status_code == 401


def test_tokens_are_examined_and_revoked_by_assertions(by_assertion, own_token):
    raw = by_assertion().json()["access_token"]

    assert by_assertion("oauth/introspect", token=raw).json()["active"] is True
    assert by_assertion("oauth/revoke", token=raw).status_code == 200
    assert own_token(raw).json()["code"] == "token_revoked"


def test_a_client_with_a_key_has_no_secret(by_assertion, token_by, known):
    assert token_by(known.secret).status_code == 401
    answer = by_assertion("client/secret")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "x"}, (400, "invalid_request")),
        (
            {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
            (400, "invalid_request"),
        ),
        ({"client_assertion_type": None}, (400, "invalid_request")),
        ({"client_assertion": None}, (400, "invalid_request")),
        ({"client_assertion": "x"}, (401, "invalid_client")),
    ],
)
def test_a_client_authenticates_in_one_sound_way(by_assertion, form, error):
    answer = by_assertion(**form)
    assert (answer.status_code, answer.json()["error"]) == error


def test_basic_credentials_beside_an_assertion_are_refused(by_assertion, known):
    answer = by_assertion(headers=basic_auth(known.client.client_id, known.secret))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_an_assertion_of_a_disabled_client_is_refused(by_assertion, known):
    disable_client(client=known.client, reason="secret_leaked", actor=ACTOR)
    assert by_assertion().status_code == 401
