"""Examining, revoking and outliving tokens."""

from datetime import timedelta

import pytest

from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.partners.models import AccessToken
from governance.partners.partners import suspend_partner
from governance.partners.tokens import revoke_partner_tokens
from tests.factories.partners import ACTOR, PartnerFactory, basic_auth, client_with_secret


def test_introspection_describes_the_partners_own_tokens(ask, oauth, known):
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
    sibling, secret = client_with_secret(known.client.partner)
    headers = basic_auth(sibling.client_id, secret)
    assert oauth("introspect", headers, token=token["access_token"]).json()["active"] is True


@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token", "nonsense"])
def test_introspection_of_an_unknown_token_says_no_more_than_not_active(oauth, hint):
    answer = oauth("introspect", token="ghost", token_type_hint=hint)
    assert (answer.status_code, answer.json()) == (200, {"active": False})


def test_introspection_of_another_partners_token_says_no_more_than_not_active(ask, oauth):
    raw = ask().json()["access_token"]
    other, secret = client_with_secret()
    assert oauth("introspect", basic_auth(other.client_id, secret), token=raw).json() == {"active": False}


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
def test_a_token_must_be_named(oauth, endpoint):
    answer = oauth(endpoint)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_revoked_token_is_refused_at_once(ask, oauth, own_token):
    raw = ask().json()["access_token"]
    assert oauth("revoke", token=raw).status_code == 200
    answer = own_token(raw)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert oauth("introspect", token=raw).json() == {"active": False}
    assert oauth("revoke", token=raw).status_code == 200


def test_only_the_client_itself_can_revoke_its_tokens(ask, oauth, own_token, known):
    raw = ask().json()["access_token"]
    sibling, secret = client_with_secret(known.client.partner)
    assert oauth("revoke", basic_auth(sibling.client_id, secret), token=raw).status_code == 200
    assert own_token(raw).status_code == 200


def test_revoking_all_of_a_partner_takes_effect_at_once_and_spares_others(ask, oauth, own_token, known):
    mine = ask().json()["access_token"]
    other, secret = client_with_secret(PartnerFactory.create())
    theirs = oauth("token", basic_auth(other.client_id, secret), grant_type="client_credentials").json()["access_token"]
    assert revoke_partner_tokens(partner=known.client.partner, actor=ACTOR, reason="key_leaked") == 1
    assert own_token(mine).json()["code"] == "token_revoked"
    assert own_token(theirs).status_code == 200
    assert own_token(ask().json()["access_token"]).status_code == 200


def test_a_suspended_partner_is_refused_with_its_tokens(ask, own_token, known):
    raw = ask().json()["access_token"]
    suspend_partner(partner=known.client.partner, reason="unpaid", actor=ACTOR)
    assert own_token(raw).json()["code"] == "partner_suspended"
    assert (ask().status_code, ask().json()["error"]) == (401, "invalid_client")


def test_a_token_ends_on_time(ask, own_token):
    with clock.using(ManualClock(clock.now())) as now:
        raw = ask().json()["access_token"]
        now.advance(seconds=timedelta(minutes=15).total_seconds() - 1)
        assert own_token(raw).status_code == 200
        now.advance(seconds=1)
        assert own_token(raw).json()["code"] == "token_expired"
