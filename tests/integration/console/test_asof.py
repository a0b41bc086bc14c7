"""The page with the state of an object at a moment, its entry and later changes."""

import json
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from governance.audit.log.checkpoints import advance_log
from governance.console.presentation import page_url
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.partners.models import Tier
from governance.partners.tiers import change_tier, delete_tier
from tests.factories.partners import ACTOR, TierFactory
from tests.state_proofs import proven_state

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def tier() -> Tier:
    """Make a tier in March and rename it in April."""
    time = ManualClock(MARCH)
    with clock.using(time):
        tier = TierFactory.create(slug="trial", name="Trial")
        time.advance(seconds=31 * 86_400)
        return change_tier(tier=tier, name="Best", requests_per_minute=600, max_open_jobs=100, actor=ACTOR)


def ask(client: Client, **asked: str):
    answer = client.get(reverse("admin:audit_ledgerentry_asof"), asked)
    assert answer.status_code == 200
    return answer


def test_the_form_waits_for_a_question(boss: Client) -> None:
    page = ask(boss)

    assert "found" not in page.context
    assert not page.context["form"].errors
    assert "Slug or id" in page.content.decode()


def test_it_shows_the_state_and_what_became_of_it(boss: Client, tier: Tier) -> None:
    advance_log()

    page = ask(boss, type="tier", name="trial", at="2026-03-15")

    members = {each.name: (each.was, each.now) for each in page.context["members"]}
    assert members["Name"] == ("Trial", "Best")
    assert members["Slug"] == ("trial", "")
    assert page.context["answer"] == "It existed"
    assert [change.kind for change in page.context["changes_on_record"]] == ["tier.changed"]
    entry = page.context["found"].entry
    assert f"{reverse('admin:audit_ledgerentry_change', args=[entry.index])}#proof" in page.content.decode()


def test_without_a_moment_it_is_now(boss: Client, tier: Tier) -> None:
    page = ask(boss, type="tier", name=str(tier.pk), at="")

    assert page.context["found"].state["name"] == "Best"
    assert page.context["changes_on_record"] == []
    assert "Waiting" in page.content.decode()


def test_what_was_deleted_since_is_reported(boss: Client, tier: Tier) -> None:
    delete_tier(tier=tier, actor=ACTOR)

    then, now = (ask(boss, type="tier", name="trial", at=at) for at in ("2026-04-15", ""))

    assert (then.context["answer"], then.context["gone"]) == ("It existed", True)
    assert (now.context["answer"], now.context["members"]) == ("It had been deleted by then", [])


def test_before_its_creation_there_is_no_entry(boss: Client, tier: Tier) -> None:
    page = ask(boss, type="tier", name="trial", at="2026-02-01")

    assert (page.context["answer"], page.context["found"].entry) == ("It did not exist yet", None)
    assert "Download" not in page.content.decode()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"type": "tier", "name": "nothing"}, "name"),
        ({"type": "tier", "name": ""}, "name"),
        ({"type": "spaceship", "name": "trial"}, "type"),
        ({"type": "tier", "name": "trial", "at": "March"}, "at"),
    ],
)
def test_a_question_without_an_answer_says_why_at_its_field(
    boss: Client, tier: Tier, asked: dict[str, str], field: str
) -> None:
    page = ask(boss, **asked)

    assert list(page.context["form"].errors) == [field]
    assert "found" not in page.context


def test_the_state_is_downloaded_with_its_proof(boss: Client, tier: Tier) -> None:
    advance_log()
    page = ask(boss, type="tier", name="trial", at="2026-03-15")

    file = boss.get(reverse("admin:audit_ledgerentry_asof") + page.context["file_url"])

    document = json.loads(file.content)
    assert file.headers["Content-Disposition"] == 'attachment; filename="tier-as-of-20260315T235959Z.json"'
    assert proven_state(document) == document["state"]
    assert document["state"]["name"] == "Trial"


def test_pages_of_objects_lead_there(boss: Client, tier: Tier) -> None:
    shown = boss.get(page_url(tier)).content.decode()

    assert f"{reverse('admin:audit_ledgerentry_asof')}?type=tier&amp;name={tier.pk}" in shown


def test_it_takes_the_right_to_see_the_ledger(person, tier: Tier) -> None:
    answer = person().get(reverse("admin:audit_ledgerentry_asof"), {"type": "tier", "name": "trial"})

    assert answer.status_code == 403
