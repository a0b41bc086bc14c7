"""Objects whose state is on record against their newest entries, in both directions."""

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import OutboxEntry, RetentionClass
from governance.audit.recording import state_checks
from governance.audit.recording.reconciling import Coverage, coverage_of
from governance.audit.recording.record import record
from governance.audit.recording.state_checks import state_faults
from governance.audit.tally import Tally
from governance.partners.entries import TIER
from governance.partners.models import Tier
from governance.partners.tiers import change_tier, delete_tier
from tests.factories.audit import LooseEntry
from tests.factories.partners import ACTOR, TierFactory
from tests.factories.states import put_on_record
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_but_what_the_test_makes(db: None) -> None:
    """Remove the objects that an installation begins with: their entries are not there in tests."""
    RetentionClass.objects.all().delete()


def faults() -> list[tuple[str, str, str]]:
    return [(each.check, each.subject, each.message) for each in state_faults(Tally())]


def place_all() -> None:
    while OutboxEntry.objects.exists():
        sequence_pending()


def leave_waiting() -> None:
    """Leave the entries in the outbox."""


def renamed(tier: Tier, name: str) -> Tier:
    return change_tier(tier=tier, name=name, requests_per_minute=600, max_open_jobs=100, actor=ACTOR)


@pytest.fixture(params=[place_all, leave_waiting])
def settle(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Put entries into the ledger, or leave them in the outbox."""
    return request.param


def test_objects_that_agree_with_their_entries_are_no_fault(settle: Callable[[], None]) -> None:
    renamed(TierFactory.create(slug="one"), "First")
    delete_tier(tier=TierFactory.create(slug="two"), actor=ACTOR)
    settle()

    tally = Tally()
    assert list(state_faults(tally)) == []
    assert tally.checked["states"] == 1


def test_row_without_an_entry_is_unrecorded(settle: Callable[[], None]) -> None:
    TierFactory.create()
    Tier.objects.create(slug="stray", name="Stray")
    settle()

    assert faults() == [("tier_unrecorded", "tier stray", "The log has no entry with its state.")]


def test_entries_from_before_states_were_recorded_are_none() -> None:
    tier = Tier.objects.create(slug="old", name="Old")
    with transaction.atomic():
        record(LooseEntry("tier.created", {"fields": ["slug"]}, subject="tier"), subject=TIER.ref(tier), actor=ACTOR)

    assert [check for check, _, _ in faults()] == ["tier_unrecorded"]
    put_on_record()
    assert faults() == []


def test_row_that_says_otherwise_names_its_members(settle: Callable[[], None]) -> None:
    tier = renamed(TierFactory.create(slug="one"), "First")
    settle()
    Tier.objects.filter(pk=tier.pk).update(name="Best", max_open_jobs=9000)

    ((check, subject, message),) = faults()

    assert (check, subject) == ("tier_differs", "tier one")
    assert message.endswith(" differs in: max_open_jobs, name.")


def test_newest_entry_counts_wherever_it_is() -> None:
    tier = TierFactory.create(name="First")
    place_all()
    renamed(tier, "Second")

    assert faults() == []
    Tier.objects.filter(pk=tier.pk).update(name="First")
    assert [message.split()[0] for _, _, message in faults()] == ["Waiting"]


def test_row_that_was_deleted_on_record_is_named(settle: Callable[[], None]) -> None:
    tier = TierFactory.create(slug="one")
    gone = Tier.objects.get()
    delete_tier(tier=tier, actor=ACTOR)
    gone.save(force_insert=True)
    settle()

    ((check, subject, message),) = faults()

    assert (check, subject) == ("tier_differs", "tier one")
    assert message.endswith("says that it was deleted.")


def test_row_that_was_removed_is_named(settle: Callable[[], None]) -> None:
    TierFactory.create(slug="kept")
    TierFactory.create(slug="one")
    settle()
    Tier.objects.filter(slug="one").delete()

    ((check, subject, message),) = faults()

    assert (check, subject) == ("tier_removed", "tier one")
    assert message.endswith("records it, but the row is missing.")


def test_entry_that_cannot_be_read_holds_no_state() -> None:
    TierFactory.create(slug="one")
    with guards_lifted():
        OutboxEntry.objects.update(body=b"\xff")

    assert [check for check, _, _ in faults()] == ["tier_unrecorded"]


def queries(monkeypatch: pytest.MonkeyPatch, chunk: int) -> int:
    monkeypatch.setattr(state_checks, "CHUNK", chunk)
    with CaptureQueriesContext(connection) as captured:
        assert faults() == []
    return len(captured)


def test_each_chunk_costs_the_same_number_of_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        TierFactory.create()

    in_one = queries(monkeypatch, 1000)

    assert queries(monkeypatch, 3) == in_one + 2
    assert queries(monkeypatch, 2) == in_one + 4


def test_kinds_with_states_must_match_the_row() -> None:
    assert coverage_of("tier.changed") == (Coverage("tier", ("after",)),)
