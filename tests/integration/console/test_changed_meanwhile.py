"""Forms that were opened before somebody else's change: nothing is undone, and nothing typed is lost."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from governance.audit.models import OutboxEntry
from governance.partners.models import Tier
from governance.partners.tiers import change_tier, delete_tier
from tests.factories.partners import ACTOR, TierFactory
from tests.html_forms import as_sent


@pytest.fixture
def tier(db: None) -> Tier:
    return TierFactory.create(slug="trial", name="Trial", requests_per_minute=60, max_open_jobs=5)


@pytest.fixture
def address(tier: Tier) -> str:
    return reverse("admin:partners_tier_change", args=[tier.pk])


def change(tier: Tier, *, requests_per_minute: int = 60, max_open_jobs: int = 5) -> None:
    change_tier(
        tier=tier, name="Trial", requests_per_minute=requests_per_minute, max_open_jobs=max_open_jobs, actor=ACTOR
    )


def limits() -> tuple[int, int]:
    tier = Tier.objects.get()
    return tier.requests_per_minute, tier.max_open_jobs


def test_a_form_is_saved_while_nobody_else_changed_anything(boss: Client, address: str) -> None:
    sent = as_sent(boss.get(address).text) | {"max_open_jobs": ["50"]}

    assert boss.post(address, sent).status_code == 302
    assert limits() == (60, 50)


def test_what_changed_meanwhile_is_shown_and_nothing_is_undone(boss: Client, tier: Tier, address: str) -> None:
    sent = as_sent(boss.get(address).text) | {"max_open_jobs": ["50"]}
    change(tier, requests_per_minute=90)

    answer = boss.post(address, sent)

    assert "The tier was changed meanwhile." in answer.text
    assert "partner-manager" in answer.text
    assert "<td>Requests per minute</td><td>60</td>" in answer.text
    assert limits() == (90, 5)


def test_what_was_typed_stays_and_what_was_not_touched_is_the_present_value(
    boss: Client, tier: Tier, address: str
) -> None:
    sent = as_sent(boss.get(address).text) | {"max_open_jobs": ["50"]}
    change(tier, requests_per_minute=90)

    again = as_sent(boss.post(address, sent).text)

    assert (again["requests_per_minute"], again["max_open_jobs"]) == (["90"], ["50"])
    assert boss.post(address, again).status_code == 302
    assert limits() == (90, 50)


def test_two_changes_meanwhile_are_shown_one_after_the_other(boss: Client, tier: Tier, address: str) -> None:
    sent = as_sent(boss.get(address).text) | {"max_open_jobs": ["50"]}
    change(tier, requests_per_minute=90)
    again = as_sent(boss.post(address, sent).text)
    change(tier, requests_per_minute=90, max_open_jobs=7)

    answer = boss.post(address, again)

    assert "<td>Max open jobs</td><td>5</td>" in answer.text
    assert as_sent(answer.text)["max_open_jobs"] == ["50"]
    assert boss.post(address, as_sent(answer.text)).status_code == 302
    assert limits() == (90, 50)


def test_a_form_about_something_deleted_meanwhile_says_so(
    boss: Client, tier: Tier, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = as_sent(boss.get(address).text)
    monkeypatch.setattr("governance.console.admin.partners.change_tier", change_after_deletion)

    answer = boss.post(address, sent)

    assert "The tier was deleted meanwhile." in answer.text
    assert "look it through" not in answer.text.lower()


def change_after_deletion(*, tier: Tier, **given: object) -> Tier:
    """Delete a tier between the look at it and the change, as somebody else might."""
    delete_tier(tier=Tier.objects.get(), actor=ACTOR)
    return change_tier(tier=tier, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["[1]", "no JSON", "[" * 10_000])
def test_a_state_that_no_page_wrote_is_refused(boss: Client, address: str, state: str) -> None:
    sent = as_sent(boss.get(address).text) | {"max_open_jobs": ["50"], "seen": [state]}

    assert "This page is out of date. Open it again." in boss.post(address, sent).text
    assert limits() == (60, 5)


def test_the_changes_of_a_row_are_shown_from_the_ledger(boss: Client, tier: Tier, address: str) -> None:
    change(tier, requests_per_minute=90)

    page = boss.get(address).text

    assert "tier.created" in page
    assert "Requests per minute: <del>60</del> → 90" in page


def test_the_page_carries_the_state_that_it_shows(boss: Client, address: str) -> None:
    (seen,) = as_sent(boss.get(address).text)["seen"]

    assert json.loads(seen) == {"slug": "trial", "name": "Trial", "requests_per_minute": 60, "max_open_jobs": 5}


def test_a_deletion_that_is_refused_is_explained(boss: Client, tier: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.console.admin.partners.delete_tier", delete_twice)

    answer = boss.post(reverse("admin:partners_tier_delete", args=[tier.pk]), {"post": "yes"}, follow=True)

    assert "The tier was deleted meanwhile." in answer.text
    assert OutboxEntry.objects.filter(kind="tier.deleted").count() == 0


def delete_twice(*, tier: Tier, actor: object) -> None:
    """Delete a tier that somebody else deletes first."""
    delete_tier(tier=Tier.objects.get(), actor=ACTOR)
    delete_tier(tier=tier, actor=ACTOR)
