"""Disabling, enabling, renaming and deleting API clients, and when they were last used; all of it on record."""

from datetime import timedelta
from uuid import uuid4

import pytest

from governance.audit.errors import ChangedMeanwhile
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.partners.client_access import disable_client, enable_client, revoke_client_tokens
from governance.partners.client_use import note_use, once
from governance.partners.clients import delete_client, rename_client
from governance.partners.entries import CLIENT
from governance.partners.errors import (
    ClientInUse,
    ClientInvalid,
    ClientIsDisabled,
    ClientStatusConflict,
    FormUsed,
    TokenRevoked,
)
from governance.partners.models import AccessToken, ApiClient, UsedFormKey
from governance.partners.queries import live_token
from governance.partners.tokens import FORMS_KEPT, clear_expired_tokens
from tests.factories.audit import newest_data
from tests.factories.partners import ACTOR, client_with_secret, raw_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> ApiClient:
    return client_with_secret()[0]


def test_a_disabled_client_has_no_live_token_and_gets_none(client: ApiClient) -> None:
    token = raw_token(client)
    expired = raw_token(client, seconds=-1)

    assert disable_client(client=client, reason="secret_leaked", actor=ACTOR) == 1

    with pytest.raises(TokenRevoked):
        live_token(token)
    with pytest.raises(TokenRevoked):
        live_token(expired)
    with pytest.raises(ClientIsDisabled):
        raw_token(client)
    client.refresh_from_db()
    assert not client.is_usable(None)
    said = newest_data("client.disabled", CLIENT.ref(client))
    assert (said["before"]["enabled"], said["after"]["enabled"]) == (True, False)
    assert (said["reason"], said["live_tokens"]) == ("secret_leaked", 1)


def test_even_a_token_that_was_missed_is_refused_while_the_client_is_disabled(client: ApiClient) -> None:
    token = raw_token(client)
    disable_client(client=client, reason="secret_leaked", actor=ACTOR)
    AccessToken.objects.update(revoked_at=None)

    with pytest.raises(ClientIsDisabled):
        live_token(token)


def test_an_enabled_client_gets_tokens_and_those_from_before_stay_revoked(client: ApiClient) -> None:
    before = raw_token(client)
    disable_client(client=client, reason="suspicious_use", actor=ACTOR)

    enable_client(client=client, reason="resolved", actor=ACTOR)

    assert live_token(raw_token(client)).client == client
    with pytest.raises(TokenRevoked):
        live_token(before)
    assert newest_data("client.enabled", CLIENT.ref(client))["reason"] == "resolved"


def test_a_client_is_not_disabled_or_enabled_twice(client: ApiClient) -> None:
    with pytest.raises(ClientStatusConflict):
        enable_client(client=client, reason="resolved", actor=ACTOR)
    disable_client(client=client, reason="secret_leaked", actor=ACTOR)
    with pytest.raises(ClientStatusConflict):
        disable_client(client=client, reason="secret_leaked", actor=ACTOR)


@pytest.mark.parametrize("reason", ["", "Ada leaked it", "x" * 65, "ada@example.com"])
def test_a_reason_is_a_code(client: ApiClient, reason: str) -> None:
    with pytest.raises(ClientInvalid) as refusal:
        disable_client(client=client, reason=reason, actor=ACTOR)
    assert refusal.value.details == {"field": "reason"}


def test_a_change_prepared_before_another_is_refused(client: ApiClient) -> None:
    seen = CLIENT.present_state(client)
    rename_client(client=client, name="Another", actor=ACTOR)

    with pytest.raises(ChangedMeanwhile):
        disable_client(client=client, reason="secret_leaked", actor=ACTOR, seen=seen)


def test_all_tokens_of_a_client_are_revoked_and_no_others(client: ApiClient) -> None:
    mine, other = raw_token(client), raw_token(client_with_secret(client.partner)[0])

    assert revoke_client_tokens(client=client, reason="revoked_by_client", actor=ACTOR) == 1

    with pytest.raises(TokenRevoked):
        live_token(mine)
    assert live_token(other)
    assert live_token(raw_token(client))


def test_a_client_is_renamed_on_record(client: ApiClient) -> None:
    rename_client(client=client, name=" Photo app ", actor=ACTOR)

    said = newest_data("client.renamed", CLIENT.ref(client))
    assert (said["before"]["name"], said["after"]["name"]) == ("server", "Photo app")


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "x" * 256, "nul\0"])
def test_a_name_is_a_line(client: ApiClient, name: str) -> None:
    with pytest.raises(ClientInvalid) as refusal:
        rename_client(client=client, name=name, actor=ACTOR)
    assert refusal.value.details == {"field": "name"}


def test_a_client_that_was_never_used_is_deleted(client: ApiClient) -> None:
    state, subject = CLIENT.present_state(client), CLIENT.ref(client)

    delete_client(client=client, actor=ACTOR)

    assert not ApiClient.objects.exists()
    assert newest_data("client.deleted", subject) == {"before": state, "after": None}


def test_a_client_that_was_used_is_not_deleted_even_when_its_tokens_are_gone(client: ApiClient) -> None:
    raw_token(client)
    AccessToken.objects.all().delete()
    ApiClient.objects.update(last_used_at=None)

    with pytest.raises(ClientInUse):
        delete_client(client=client, actor=ACTOR)


def test_the_last_use_is_kept_to_the_minute(client: ApiClient, django_assert_num_queries) -> None:
    now = ManualClock(clock.now())
    with clock.using(now):
        note_use(client)
        with django_assert_num_queries(0):
            note_use(client)
        first = ApiClient.objects.get().last_used_at
        now.advance(seconds=61)
        note_use(client)
        assert ApiClient.objects.get().last_used_at - first == timedelta(seconds=61)


def test_getting_a_token_is_a_use(client: ApiClient) -> None:
    raw_token(client)

    assert ApiClient.objects.get().last_used_at is not None


def test_a_form_does_its_work_once(client: ApiClient) -> None:
    key, done = uuid4(), []

    once(key, lambda: done.append(1))
    with pytest.raises(FormUsed):
        once(key, lambda: done.append(2))
    once(None, lambda: done.append(3))

    assert done == [1, 3]


def test_a_form_whose_work_failed_may_be_sent_again() -> None:
    key = uuid4()
    with pytest.raises(ZeroDivisionError):
        once(key, lambda: 1 / 0)

    assert once(key, lambda: "done") == "done"


def test_old_marks_of_forms_are_cleared() -> None:
    once(uuid4(), lambda: None)

    clear_expired_tokens()
    assert UsedFormKey.objects.exists()
    with clock.using(ManualClock(clock.now() + FORMS_KEPT + timedelta(seconds=1))):
        clear_expired_tokens()
    assert not UsedFormKey.objects.exists()
