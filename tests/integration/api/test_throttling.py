"""Limits on how often a caller may ask."""

from uuid import uuid4

import pytest
from django.core.cache.backends.redis import RedisCache
from django.test import Client

from governance.api.throttling import Counter
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from tests.factories.partners import FORM, PartnerFactory, TierFactory, client_with_secret, raw_token


@pytest.fixture
def now(servers):
    """Return a clock at the start of a minute, so that no window ends by chance during a test."""
    start = clock.now().replace(second=0, microsecond=0)
    with clock.using(ManualClock(start)) as manual:
        yield manual


@pytest.fixture
def counter() -> Counter:
    return Counter(f"test:{uuid4()}", limit=4)


def test_as_many_pass_as_the_limit_says(now, counter):
    assert [counter.take() is None for _ in range(6)] == [True] * 4 + [False] * 2


def test_waiting_for_retry_after_is_always_enough(now, counter):
    for _ in range(4):
        counter.take()
    for _ in range(20):
        wait = counter.take()
        now.advance(seconds=wait - 0.001)
        assert counter.take() is not None
        now.advance(seconds=0.002)
        assert counter.take() is None


def test_no_sixty_seconds_let_through_much_more_than_the_limit(now, counter):
    now.advance(seconds=55)
    assert [counter.take() is None for _ in range(4)] == [True] * 4
    now.advance(seconds=10)
    assert counter.take() is not None
    now.advance(seconds=10)
    assert [counter.take() is None for _ in range(2)] == [True, False]


def test_is_full_counts_nothing(now, counter):
    assert [counter.is_full() for _ in range(10)] == [None] * 10
    for _ in range(4):
        counter.take()
    assert counter.is_full() == pytest.approx(75)


def test_counters_do_not_know_each_other(now, counter):
    for _ in range(5):
        counter.take()
    assert Counter(f"test:{uuid4()}", limit=4).take() is None


@pytest.fixture
def small(db, address, now):
    """Return two tokens of different clients of a partner that may ask three times a minute."""
    partner = PartnerFactory.create(tier=TierFactory.create(requests_per_minute=3))
    tokens = [raw_token(client_with_secret(partner)[0]) for _ in range(2)]
    return [Client(REMOTE_ADDR=address, headers={"Authorization": f"Bearer {token}"}) for token in tokens]


def test_the_tier_limits_a_partner_over_all_its_clients(small, now):
    first, second = small
    assert [caller.get("/api/v1/token").status_code for caller in (first, second, first)] == [200] * 3
    answer = second.get("/api/v1/jobs")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    wait = int(answer.headers["Retry-After"])
    now.advance(seconds=wait)
    assert second.get("/api/v1/jobs").status_code == 200


def test_one_partner_does_not_use_up_what_another_may_ask(small, visitor):
    for _ in range(4):
        small[0].get("/api/v1/token")
    assert visitor.get("/api/v1/token").status_code == 200


def guess(anonymous: Client, client_id: str, secret: str = "wrong", **extra):
    body = f"grant_type=client_credentials&client_id={client_id}&client_secret={secret}"
    return anonymous.post("/api/v1/oauth/token", body, FORM, **extra)


def test_guessing_a_secret_is_slowed_even_when_the_guess_is_right(anonymous, now, settings):
    settings.ASSENT_TOKEN_FAILURES_PER_MINUTE = 3
    client, secret = client_with_secret()
    assert [guess(anonymous, client.client_id).status_code for _ in range(5)] == [401] * 3 + [429] * 2
    answer = guess(anonymous, client.client_id, secret)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    now.advance(seconds=int(answer.headers["Retry-After"]))
    assert guess(anonymous, client.client_id, secret).status_code == 200


def test_guesses_from_elsewhere_do_not_lock_a_client_out(anonymous, now, settings):
    settings.ASSENT_TOKEN_FAILURES_PER_MINUTE = 3
    client, secret = client_with_secret()
    for _ in range(5):
        guess(anonymous, client.client_id, REMOTE_ADDR=f"10.6.6.6-{client.client_id}")
    assert guess(anonymous, client.client_id, secret).status_code == 200


def test_an_address_may_not_ask_for_tokens_all_the_time(anonymous, now, settings):
    settings.ASSENT_TOKEN_REQUESTS_PER_MINUTE = 4
    client, secret = client_with_secret()
    assert [guess(anonymous, client.client_id, secret).status_code for _ in range(5)] == [200] * 4 + [429]


def test_a_forged_forwarding_header_does_not_hide_the_address(anonymous, now, settings):
    settings.ASSENT_TOKEN_REQUESTS_PER_MINUTE = 2
    statuses = [
        guess(anonymous, "ghost", headers={"X-Forwarded-For": f"10.9.9.{number}"}).status_code for number in range(4)
    ]
    assert statuses == [401, 401, 429, 429]


@pytest.mark.parametrize("url", ["/api/v1/token", "/api/v1/jobs"])
def test_when_requests_cannot_be_counted_none_is_let_through(visitor, settings, url):
    unreachable = RedisCache("redis://127.0.0.1:1/0", {"OPTIONS": {"socket_connect_timeout": 1}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("governance.api.throttling.caches", {"default": unreachable})
        answer = visitor.get(url)
    assert (answer.status_code, answer.json()["code"]) == (503, "throttle_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
