"""`manage.py ledger`: what was in force, with proof, and how it changed."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from governance.audit.log.checkpoints import advance_log
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.partners.tiers import change_tier, delete_tier
from tests.factories.partners import ACTOR, TierFactory
from tests.state_proofs import proven_state

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ledger(*arguments: str) -> str:
    out = io.StringIO()
    call_command("ledger", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as caught:
        ledger(*arguments)
    return caught.value.returncode, str(caught.value)


@pytest.fixture(autouse=True)
def trial() -> str:
    """Make a tier in March, rename it in April, delete it in May; return its id."""
    time = ManualClock(MARCH)
    with clock.using(time):
        tier = TierFactory.create(slug="trial", name="Trial")
        key = str(tier.pk)
        time.advance(seconds=31 * 86_400)
        tier = change_tier(tier=tier, name="Best", requests_per_minute=600, max_open_jobs=100, actor=ACTOR)
        time.advance(seconds=30 * 86_400)
        delete_tier(tier=tier, actor=ACTOR)
    advance_log()
    return key


def test_it_says_what_was_in_force_on_a_day() -> None:
    assert ledger("asof", "2026-03-01", "tier", "trial").splitlines() == [
        "tier trial as of 2026-03-01 23:59:59 UTC",
        "  max_open_jobs        100",
        '  name                 "Trial"',
        "  requests_per_minute  600",
        '  slug                 "trial"',
        "  -- 2026-03-01 12:00:00 UTC  tier.created by user:partner-manager, ledger entry #0",
        "  -- under a published checkpoint; --proof writes it to a file",
    ]
    assert '"Best"' in ledger("asof", "2026-04-01T12:00:00Z", "tier", "trial")


def test_what_is_not_under_a_checkpoint_is_reported() -> None:
    TierFactory.create(slug="new")

    shown = ledger("asof", f"{clock.now():%Y-%m-%dT%H:%M:%S.%fZ}", "tier", "new")

    assert "waiting to be ordered" in shown
    assert "not under a checkpoint yet" in shown


def test_json_is_the_document_that_the_proof_file_holds(tmp_path: Path, trial: str) -> None:
    file = tmp_path / "state.json"

    shown = json.loads(ledger("asof", "2026-03-15", "tier", trial, "--json", "--proof", str(file)))

    assert shown == json.loads(file.read_text())
    assert (shown["format"], shown["id"], shown["presence"]) == ("assent-state/1", trial, "there")
    assert proven_state(shown) == shown["state"]


@pytest.mark.parametrize(
    ("moment", "says"), [("2026-02-28", "It did not exist yet."), ("2026-06-01", "It had been deleted by then.")]
)
def test_what_was_not_there_ends_with_1(moment: str, says: str) -> None:
    assert refused("asof", moment, "tier", "trial") == (1, says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("asof", "2026-03-01", "spaceship", "x"), "There is no type 'spaceship'. Known: "),
        (("asof", "2026-03-01", "tier", "nothing"), "The ledger has no tier 'nothing'."),
        (("asof", "March", "tier", "trial"), "'March' is neither a date, such as 2026-03-01"),
        (("asof", "2026-03-01", "tier", "trial", "--proof", "/nowhere/x"), "No such file or directory"),
        (("history", "spaceship", "x"), "There is no type 'spaceship'"),
        (("history", "tier", "nothing"), "The ledger has no tier 'nothing'."),
    ],
)
def test_what_cannot_be_found_out_ends_with_2(arguments: tuple[str, ...], says: str) -> None:
    code, message = refused(*arguments)

    assert code == 2
    assert message.startswith("Cannot answer: ")
    assert says in message


def test_history_shows_each_change_with_old_and_new_values() -> None:
    made, changed, deleted = ledger("history", "tier", "trial").strip().split("\n\n")

    assert made.splitlines()[0].startswith("2026-03-01 12:00:00 UTC  tier.created by user:partner-manager, ledger")
    assert '  slug: null → "trial"' in made.splitlines()
    assert changed.splitlines()[1:] == ['  name: "Trial" → "Best"']
    assert '  name: "Best" → null' in deleted.splitlines()


def test_history_is_reported_as_json(trial: str) -> None:
    changes = json.loads(ledger("history", "tier", "trial", "--json"))

    assert [each["kind"] for each in changes] == ["tier.created", "tier.changed", "tier.deleted"]
    assert [each["id"] for each in changes] == [trial] * 3
    assert changes[1]["before"] == changes[0]["after"]


def test_objects_with_one_slug_are_told_one_after_the_other() -> None:
    TierFactory.create(slug="trial")

    changes = json.loads(ledger("history", "tier", "trial", "--json"))

    assert len(changes) == 4
    assert len({each["id"] for each in changes}) == 2
