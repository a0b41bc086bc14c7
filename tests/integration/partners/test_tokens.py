"""Tokens in the database, and in the ledger."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Event

import pytest
from django.apps import apps
from django.contrib.auth.hashers import check_password
from django.db import connection, transaction

from governance.audit.models import OutboxEntry
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.kernel.ids import new_token
from governance.partners.entries import PARTNER
from governance.partners.errors import TokenRevoked
from governance.partners.models import AccessToken, ApiClient
from governance.partners.queries import find_token, live_token, token_grant
from governance.partners.tokens import (
    clear_expired_tokens,
    issue_token,
    revoke_partner_tokens,
    revoke_token,
)
from governance.partners.types import Coverage
from tests.factories.partners import ACTOR, client_with_secret, raw_token
from tests.waiting import PATIENCE_SECONDS, somebody_waits, wait_until


def entries(kind: str) -> list[dict]:
    return [json.loads(bytes(entry.body)) for entry in OutboxEntry.objects.filter(kind=kind).order_by("id")]


def everything_stored() -> str:
    """Return every row of every table as text; bytes appear as hexadecimal digits."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {connection.ops.quote_name(table)} t")
            texts += [row[0] for row in cursor.fetchall()]
    return "\n".join(texts)


def test_no_table_holds_a_token_or_a_secret(db):
    client, secret = client_with_secret()
    raw = raw_token(client)
    stored = everything_stored()
    assert str(client.pk) in stored
    for hidden in (raw, secret):
        assert hidden not in stored
        assert hidden.encode().hex() not in stored
    assert AccessToken.objects.get().token == ""
    assert check_password(secret, ApiClient.objects.get().client_secret)


def test_all_token_tables_of_the_library_stay_empty(db):
    raw_token(client_with_secret()[0])
    assert not any(model.objects.exists() for model in apps.get_app_config("oauth2_provider").get_models())


def test_an_issued_token_is_on_record_by_a_prefix_of_its_checksum(db):
    client, _ = client_with_secret()
    raw = raw_token(client, seconds=60)
    token = find_token(raw)
    [entry] = entries("token.issued")
    assert entry["subject"] == {"type": "token", "id": str(token.pk)}
    assert entry["actor"] == {"type": "client", "id": client.client_id}
    assert entry["data"]["checksum_prefix"] == token.token_checksum[:16]
    assert entry["data"]["expires_in"] == 60
    assert raw not in json.dumps(entry)


def test_a_grant_says_what_the_token_covers(db):
    client, _ = client_with_secret(models=["sketch"])
    grant = live_token(raw_token(client, actions={"asset.infer"}))
    assert (grant.client, grant.partner) == (client, client.partner)
    assert grant.actions == {"asset.infer"}
    assert (grant.models, grant.datasets) == ({"sketch"}, None)
    assert grant.expires_at == AccessToken.objects.get().expires
    assert token_grant(AccessToken.objects.get()) == grant


def test_revoking_twice_is_on_record_once(db):
    token = find_token(raw_token(client_with_secret()[0]))
    assert revoke_token(token=token, actor=ACTOR, reason="leaked") is True
    assert revoke_token(token=token, actor=ACTOR, reason="leaked") is False
    assert [entry["data"]["reason"] for entry in entries("token.revoked")] == ["leaked"]


def test_revoking_a_partner_counts_its_live_tokens(db):
    client, _ = client_with_secret()
    with clock.using(ManualClock(clock.now())) as now:
        raw_token(client, seconds=10)
        now.advance(seconds=20)
        live = raw_token(client)
        assert revoke_partner_tokens(partner=client.partner, actor=ACTOR, reason="compromise") == 1
    with pytest.raises(TokenRevoked):
        live_token(live)
    [entry] = entries("partner.tokens_revoked")
    assert entry["subject"] == {"type": "partner", "id": client.partner.slug}
    after = PARTNER.present_state(client.partner)
    before = after | {"tokens_valid_after": None}
    assert entry["data"] == {"live_tokens": 1, "reason": "compromise", "before": before, "after": after}
    assert after["tokens_valid_after"] is not None


def test_a_token_dated_before_the_revocation_is_refused_even_if_it_appears_later(db):
    client, _ = client_with_secret()
    now = clock.now()
    with clock.using(ManualClock(now)):
        revoke_partner_tokens(partner=client.partner, actor=ACTOR, reason="compromise")
    with clock.using(ManualClock(now - timedelta(seconds=2))):
        late = raw_token(client)
    with pytest.raises(TokenRevoked):
        live_token(late)


def test_a_token_that_is_being_issued_is_not_missed(transactional_db):
    """The revoker waits for an issue that is under way, by a clock that is ahead, and revokes its token too."""
    client, _ = client_with_secret()
    raw, issued = new_token(), Event()

    def issue() -> None:
        with closing(connection), transaction.atomic():
            with clock.using(ManualClock(clock.now() + timedelta(seconds=30))):
                issue_token(client=client, coverage=Coverage.of_client(client), raw_token=raw, seconds=900)
            issued.set()
            wait_until(somebody_waits)

    def revoke() -> int:
        with closing(connection):
            issued.wait(PATIENCE_SECONDS)
            return revoke_partner_tokens(partner=client.partner, actor=ACTOR, reason="compromise")

    with ThreadPoolExecutor(2) as pool:
        issuing, revoking = pool.submit(issue), pool.submit(revoke)
        issuing.result()
        assert revoking.result() == 1
    with pytest.raises(TokenRevoked):
        live_token(raw)


def test_tokens_are_cleared_a_month_after_they_expired(db):
    client, _ = client_with_secret()
    with clock.using(ManualClock(clock.now())) as now:
        raw_token(client, seconds=60)
        now.advance(seconds=timedelta(days=30).total_seconds())
        assert clear_expired_tokens() == 0
        now.advance(seconds=61)
        assert clear_expired_tokens() == 1
    assert not AccessToken.objects.exists()


def test_the_library_revokes_no_token_past_the_ledger(db):
    token = find_token(raw_token(client_with_secret()[0]))
    with pytest.raises(NotImplementedError):
        token.revoke()
    assert AccessToken.objects.get().revoked_at is None
