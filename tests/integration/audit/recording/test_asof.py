"""What was in force at a moment: against a model, and in the cases that a model does not reach."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.audit.errors import EntryAltered, MomentInvalid, ObjectTypeUnknown, ObjectUnknown
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import LedgerEntry, OutboxEntry
from governance.audit.recording.asof import AsOf, Presence, as_of, find_as_of, history, read_moment
from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from governance.kernel.ids import new_token
from governance.keys.ring import key_ring
from governance.partners.entries import TIER
from governance.partners.models import Tier
from governance.partners.tiers import change_tier, delete_tier
from tests.effort import examples
from tests.factories.audit import LooseEntry
from tests.factories.keys import development_ring
from tests.factories.marketplace import make_version
from tests.factories.partners import ACTOR, TierFactory
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def found(name: str, seconds: float) -> AsOf:
    return find_as_of(type_name="tier", name=name, at=START + timedelta(seconds=seconds))


def changed(tier: Tier, name: str) -> Tier:
    return change_tier(tier=tier, name=name, requests_per_minute=600, max_open_jobs=100, actor=ACTOR)


# against a model


@dataclass(frozen=True)
class Step:
    """Something that happens to a tier `pause` seconds after the step before, and whether the log is then put in order.

    A tier that is not there is made, whatever the step says.
    """

    pause: int
    what: str
    placed: bool


steps = st.lists(
    st.builds(Step, pause=st.integers(0, 3), what=st.sampled_from(["change", "delete"]), placed=st.booleans()),
    max_size=8,
)


class Story:
    """A slug whose tiers come and go, both on record and kept in mind."""

    def __init__(self) -> None:
        self.slug = f"trial-{new_token(6).lower()}"
        self.clock = ManualClock(START)
        self.known: list[tuple[datetime, State | None]] = []

    def live(self, history: Sequence[Step]) -> None:
        for number, step in enumerate(history):
            self.clock.advance(seconds=step.pause)
            with clock.using(self.clock):
                self._live(step.what, f"Name {number}")
                {True: sequence_pending, False: lambda: None}[step.placed]()

    def _live(self, what: str, name: str) -> None:
        tier = Tier.objects.filter(slug=self.slug).first()
        doing = {(False, "change"): self._make, (False, "delete"): self._make,
                 (True, "change"): self._change, (True, "delete"): self._delete}  # fmt: skip
        state = doing[tier is not None, what](tier, name)
        self.known.append((self.clock.now(), state))

    def _make(self, tier: Tier, name: str) -> State | None:
        return TIER.state(TierFactory.create(slug=self.slug, name=name))

    def _change(self, tier: Tier, name: str) -> State | None:
        return TIER.state(changed(tier, name))

    def _delete(self, tier: Tier, name: str) -> State | None:
        delete_tier(tier=tier, actor=ACTOR)
        return None

    def expected(self, at: datetime) -> State | None:
        return [None, *(state for happened, state in self.known if happened <= at)][-1]


@given(steps=steps.filter(bool), moments=st.lists(st.integers(-1, 30), min_size=1, max_size=6))
@settings(max_examples=examples(30), deadline=None)
def test_any_history_is_rebuilt_as_it_was(steps: list[Step], moments: list[int]) -> None:
    story = Story()
    story.live(steps)

    assert [found(story.slug, moment).state for moment in moments] == [
        story.expected(START + timedelta(seconds=moment)) for moment in moments
    ]


# by name


@pytest.fixture
def time() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(autouse=True)
def standing(time: ManualClock) -> object:
    with clock.using(time):
        yield


def test_it_says_whether_the_object_was_there(time: ManualClock) -> None:
    tier = TierFactory.create(slug="trial")
    time.advance(seconds=10)
    delete_tier(tier=tier, actor=ACTOR)

    assert [found("trial", at).presence for at in (-1, 0, 9, 10)] == [
        Presence.NOT_YET, Presence.THERE, Presence.THERE, Presence.DELETED,
    ]  # fmt: skip
    assert found("trial", -1).entry is None
    assert [found("trial", at).entry.kind for at in (0, 10)] == ["tier.created", "tier.deleted"]
    assert {found("trial", at).name for at in (-1, 0, 10)} == {"trial"}


def test_of_two_changes_in_one_instant_the_later_place_counts() -> None:
    tier = TierFactory.create(slug="trial", name="First")
    changed(changed(tier, "Second"), "Third")

    assert found("trial", 0).state["name"] == "Third"
    sequence_pending()
    assert found("trial", 0).state["name"] == "Third"


def test_a_slug_stands_for_the_object_that_had_it_then(time: ManualClock) -> None:
    old = TierFactory.create(slug="trial", name="Old")
    old_key = str(old.pk)
    time.advance(seconds=10)
    delete_tier(tier=old, actor=ACTOR)
    time.advance(seconds=10)
    new = TierFactory.create(slug="trial", name="New")

    assert [found("trial", at).subject.id for at in (5, 15, 20)] == [old_key, old_key, str(new.pk)]
    assert found(old_key, 20).presence is Presence.DELETED


def test_an_object_is_found_by_an_id_too() -> None:
    tier = TierFactory.create(slug="trial")

    assert found(str(tier.pk), 0) == found("trial", 0)


def test_a_name_may_have_two_members() -> None:
    with key_ring.override(development_ring()):  # made now, so that its keys are valid now
        version = make_version()

    state = find_as_of(type_name="model_version", name="espcn-x2/1.0.0", at=START).state

    assert (state["model"], state["version"]) == (version.model.slug, version.version)
    with pytest.raises(ObjectUnknown):
        find_as_of(type_name="model_version", name="other/1.0.0", at=START)


def test_an_entry_that_waits_counts_and_has_no_place() -> None:
    tier = TierFactory.create(slug="trial")
    sequence_pending()
    assert found("trial", 0).entry.index is not None

    changed(tier, "Renamed")

    assert (found("trial", 0).entry.index, found("trial", 0).state["name"]) == (None, "Renamed")


@pytest.mark.parametrize("name", ["nothing", "", "100%", '"', "a\x00b", "\ud800", "x" * 500])
def test_a_name_that_nothing_had_is_refused(name: str) -> None:
    TierFactory.create()

    with pytest.raises(ObjectUnknown, match="The ledger has no tier"):
        found(name, 0)


def test_a_name_within_another_members_value_is_not_taken_for_a_slug() -> None:
    TierFactory.create(slug="trial", name='"slug":"hidden"')

    with pytest.raises(ObjectUnknown):
        found("hidden", 0)


def test_an_unknown_type_lists_the_types() -> None:
    with pytest.raises(ObjectTypeUnknown, match=r"There is no type 'spaceship'\. Known: .*tier") as caught:
        find_as_of(type_name="spaceship", name="x", at=START)

    assert "tier" in caught.value.details["types"]


def test_what_was_adopted_was_not_on_record_before(time: ManualClock) -> None:
    tier = Tier.objects.create(slug="old", name="Old")
    with transaction.atomic():
        record(LooseEntry("tier.created", {"fields": ["slug"]}, subject="tier"), subject=TIER.ref(tier), actor=ACTOR)
    with pytest.raises(ObjectUnknown):
        as_of(subject=TIER.ref(tier), at=START)
    time.advance(seconds=10)

    changed(tier, "New")

    assert [found("old", at).presence for at in (0, 10)] == [Presence.NOT_ON_RECORD, Presence.THERE]


@pytest.mark.parametrize("put_in_order", [sequence_pending, lambda: None])
def test_an_entry_whose_columns_were_changed_is_not_believed(put_in_order: Callable[[], object]) -> None:
    TierFactory.create(slug="trial")
    put_in_order()
    with guards_lifted():
        for table in (LedgerEntry, OutboxEntry):
            table.objects.update(occurred_at=START - timedelta(days=1))

    with pytest.raises(EntryAltered, match=r"were altered: occurred_at\."):
        found("trial", -60)


def test_history_holds_every_change_in_order() -> None:
    tier = TierFactory.create(slug="trial", name="First")
    sequence_pending()
    changed(tier, "Second")
    ref = TIER.ref(tier)
    delete_tier(tier=tier, actor=ACTOR)

    changes = history(ref)

    assert [each.kind for each in changes] == ["tier.created", "tier.changed", "tier.deleted"]
    assert [each.before for each in changes[1:]] == [each.after for each in changes[:-1]]
    assert {each.actor for each in changes} == {ACTOR}


# moments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-28", datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-03-01", START),
        ("2026-03-01T13:00:00+02:00", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        ("2026-03-01t11:00:00.5z", datetime(2026, 3, 1, 11, 0, 0, 500000, tzinfo=UTC)),
        ("2026-03-01 11:00:00Z", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        ("2030-01-01", START),
    ],
)
def test_a_moment_is_a_date_or_a_time_and_never_later_than_now(text: str, expected: datetime) -> None:
    assert read_moment(text) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-3-1", "2026-02-30", "2026-03-01T12:00:00", "2026-03-01T25:00:00Z", "20260301",
             "0001-01-01T00:00:00+23:00", "2026-W09-7"]
)  # fmt: skip
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(MomentInvalid, match="is neither a date, such as 2026-03-01"):
        read_moment(text)
