"""`GET /ledger/asof`: a partner's own state and tier at a moment, with proof; never another partner's."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from governance.audit.log.checkpoints import advance_log
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.partners.models import Partner
from governance.partners.partners import move_partner
from governance.partners.tiers import change_tier
from tests.factories.partners import ACTOR, PartnerFactory, TierFactory, client_with_secret
from tests.state_proofs import proven_state

pytestmark = pytest.mark.django_db

URL = "/api/v1/ledger/asof"
MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def partner() -> Partner:
    """Add a partner in March; its tier changes in April, and it moves to another one in May."""
    time = ManualClock(MARCH)
    with clock.using(time):
        tier = TierFactory.create(slug="trial", name="Trial")
        partner = PartnerFactory.create(slug="prints", name="Prints", tier=tier)
        time.advance(seconds=31 * 86_400)
        change_tier(tier=tier, name="Trial", requests_per_minute=7, max_open_jobs=1, actor=ACTOR)
        time.advance(seconds=30 * 86_400)
        move_partner(partner=partner, tier=TierFactory.create(slug="best", name="Best"), actor=ACTOR)
    return Partner.objects.get(pk=partner.pk)


@pytest.fixture
def own(partner: Partner, caller) -> Client:
    client, _ = client_with_secret(partner)
    return caller(client)


def ask(client: Client, **asked: str) -> dict:
    answer = client.get(URL, asked)
    assert answer.status_code == 200, answer.content
    return answer.json()


def problem(client: Client, **asked: str) -> tuple[int, str]:
    answer = client.get(URL, asked)
    return answer.status_code, answer.json()["code"]


def test_a_partner_sees_its_own_state_then_and_now(own: Client) -> None:
    then, now = ask(own, type="partner", at="2026-03-15"), ask(own)

    assert (then["id"], then["state"]["tier"], now["state"]["tier"]) == ("prints", "trial", "best")
    assert then["at"] == "2026-03-15T23:59:59.999999Z"


def test_a_partner_sees_the_tier_that_it_was_in_as_it_was(own: Client) -> None:
    found = [ask(own, type="tier", at=at)["state"] for at in ("2026-03-15", "2026-04-15", "2026-05-15T00:00:00Z")]

    assert [(each["slug"], each["requests_per_minute"]) for each in found] == [
        ("trial", 600), ("trial", 7), ("best", 600),
    ]  # fmt: skip


def test_the_state_comes_with_its_proof(own: Client) -> None:
    assert ask(own, type="partner", at="2026-03-15")["proof"] is None
    advance_log()

    document = ask(own, type="partner", at="2026-03-15")

    assert proven_state(document) == document["state"]


def test_before_the_partner_came_there_is_no_state_and_no_tier(own: Client) -> None:
    assert ask(own, type="partner", at="2026-02-01")["presence"] == "not_yet"
    assert problem(own, type="tier", at="2026-02-01") == (404, "ledger_object_unknown")


def test_nobody_sees_another_partner_or_its_tier(own: Client, stranger: Client) -> None:
    shown = [stranger.get(URL, {"type": kind}).content.decode() for kind in ("partner", "tier")]

    assert not [text for text in shown if "prints" in text or '"best"' in text]
    assert ask(stranger, type="partner")["id"] == "umbra"


@pytest.mark.parametrize("asked", [{"id": "umbra"}, {"name": "umbra"}, {"slug": "umbra"}])
def test_another_partner_cannot_be_named(own: Client, stranger: Client, asked: dict[str, str]) -> None:
    assert problem(own, type="partner", **asked) == (400, "query_invalid")


@pytest.mark.parametrize("kind", ["licence", "model", "client", "role", "spaceship"])
def test_other_types_are_refused(own: Client, kind: str) -> None:
    assert problem(own, type=kind) == (400, "invalid")


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01", "2026-03-01T12:00:00"])
def test_what_is_no_moment_is_refused(own: Client, at: str) -> None:
    assert problem(own, type="partner", at=at) == (400, "moment_invalid")


def test_a_partner_that_is_not_on_record_is_unknown(caller) -> None:
    tier = TierFactory.create()
    stray = Partner.objects.create(slug="stray", name="Stray", tier=tier, region="DE")
    client, _ = client_with_secret(stray)

    assert problem(caller(client), type="partner") == (404, "ledger_object_unknown")
