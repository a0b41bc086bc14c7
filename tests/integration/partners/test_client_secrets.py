"""Rotating the secret of an API client, with an overlap that ends by itself or at once."""

import json
from datetime import datetime, timedelta

import pytest

from governance.audit.models import OutboxEntry
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.partners.client_secrets import MAX_OVERLAP, end_earlier_secret, rotate_secret
from governance.partners.entries import CLIENT
from governance.partners.errors import OverlapInvalid, SecretNotOverlapping
from governance.partners.models import ApiClient
from tests.factories.audit import newest_data
from tests.factories.partners import ACTOR, client_with_secret, is_earlier_secret, is_newest_secret

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def good(client: ApiClient, secret: str) -> bool:
    kept = ApiClient.objects.get(pk=client.pk)
    return is_newest_secret(kept, secret) or is_earlier_secret(kept, secret)


def rotated(client: ApiClient, until: datetime | None) -> str:
    return rotate_secret(client=client, earlier_until=until, actor=ACTOR)


def test_the_earlier_secret_goes_on_until_its_time_and_no_longer() -> None:
    client, first = client_with_secret()
    now = ManualClock(clock.now())
    with clock.using(now):
        second = rotated(client, clock.now() + DAY)
        assert (good(client, first), good(client, second), good(client, "other")) == (True, True, False)
        now.advance(seconds=86_400)
        assert (good(client, first), good(client, second)) == (False, True)


def test_the_earlier_secret_ends_at_once_where_no_time_is_given() -> None:
    client, first = client_with_secret()

    second = rotated(client, None)

    assert (good(client, first), good(client, second)) == (False, True)


def test_the_earlier_secret_can_be_ended_before_its_time() -> None:
    client, first = client_with_secret()
    second = rotated(client, clock.now() + DAY)

    end_earlier_secret(client=client, actor=ACTOR)

    assert (good(client, first), good(client, second)) == (False, True)
    said = newest_data("client.earlier_secret_ended", CLIENT.ref(client))
    assert said["before"]["earlier_secret_until"] is not None
    assert said["after"]["earlier_secret_until"] is None
    with pytest.raises(SecretNotOverlapping):
        end_earlier_secret(client=client, actor=ACTOR)


def test_only_one_earlier_secret_goes_on() -> None:
    client, first = client_with_secret()
    second = rotated(client, clock.now() + DAY)
    third = rotated(client, clock.now() + DAY)

    assert [good(client, secret) for secret in (first, second, third)] == [False, True, True]


@pytest.mark.parametrize("after", [timedelta(0), -DAY, MAX_OVERLAP + timedelta(seconds=1)])
def test_an_overlap_has_bounds(after: timedelta) -> None:
    client, first = client_with_secret()
    with clock.using(ManualClock(clock.now())), pytest.raises(OverlapInvalid) as refusal:
        rotated(client, clock.now() + after)
    assert refusal.value.details == {"field": "earlier_until"}
    assert good(client, first)


def test_secrets_are_hashed_and_never_on_record() -> None:
    client, first = client_with_secret()
    second = rotated(client, clock.now() + DAY)

    kept = ApiClient.objects.get()
    assert kept.client_secret.startswith("client_secret_pbkdf2_sha256$")
    assert kept.earlier_secret.startswith("client_secret_pbkdf2_sha256$")
    told = json.dumps([bytes(entry.body).decode() for entry in OutboxEntry.objects.all()])
    assert first not in told
    assert second not in told
    assert kept.client_secret not in told
    assert newest_data("client.secret_rotated", CLIENT.ref(client))["after"] == CLIENT.present_state(client)
