"""Laws of effective consent, against a reference model small enough to be read and believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.catalog.choices import ConsentState
from governance.catalog.models import Asset, ConsentLevel
from governance.catalog.queries import effective_consent
from governance.catalog.services import record_grant, record_withdrawal
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from tests.effort import examples
from tests.factories.catalog import ACTOR, INFER, TRAIN, AssetFactory, ConsentLevelFactory

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAIRS = {"infer": frozenset({INFER}), "both": frozenset({INFER, TRAIN})}


@dataclass(frozen=True)
class Statement:
    """What a creator says after `pause` seconds; `starts_in` and `lasts` are seconds, None is at once and for ever."""

    pause: int
    about: str
    level: str | None
    starts_in: int | None = None
    lasts: int | None = None


pauses = st.integers(0, 60)
grants = st.builds(
    Statement,
    pause=pauses,
    about=st.sampled_from(["work", "default"]),
    level=st.sampled_from(sorted(PAIRS)),
    starts_in=st.none() | st.integers(-60, 120),
    lasts=st.none() | st.integers(1, 120),
)
withdrawals = st.builds(
    Statement, pause=pauses, about=st.sampled_from(["work", "default", "everything"]), level=st.none()
)
default_grants = grants.filter(lambda statement: statement.about == "default")
histories = st.lists(grants | withdrawals, max_size=8)
laws = settings(max_examples=examples(30))


class Story:
    """A creator with one work, whose statements are both recorded and kept in mind."""

    def __init__(self) -> None:
        self.levels: dict[str, ConsentLevel] = {slug: ConsentLevelFactory(pairs=pairs) for slug, pairs in PAIRS.items()}
        self.asset: Asset = AssetFactory()
        self.clock = ManualClock(START)
        self.told: list[tuple[datetime, Statement]] = []

    def tell(self, history: Sequence[Statement]) -> None:
        for statement in history:
            self.clock.advance(seconds=statement.pause)
            with clock.using(self.clock):
                {True: self._withdraw, False: self._grant}[statement.level is None](statement)
            self.told.append((self.clock.now(), statement))

    def ask(self, after: int) -> tuple[str, frozenset[tuple[str, str]], int]:
        found = effective_consent(asset=self.asset, at=self.clock.now() + timedelta(seconds=after))
        return found.state, found.pairs, found.epoch

    def _withdraw(self, said: Statement) -> None:
        record_withdrawal(
            creator=self.asset.creator,
            asset={"work": self.asset}.get(said.about),
            everything=said.about == "everything",
            method="console",
            actor=ACTOR,
        )

    def _grant(self, said: Statement) -> None:
        now = self.clock.now()
        start, end = said.starts_in, said.lasts
        valid_from = None if start is None else now + timedelta(seconds=start)
        record_grant(
            creator=self.asset.creator,
            asset={"work": self.asset}.get(said.about),
            level=self.levels[said.level or ""],
            valid_from=valid_from,
            valid_until=None if end is None else (valid_from or now) + timedelta(seconds=end),
            method="console",
            actor=ACTOR,
        )


def reference(told: Sequence[tuple[datetime, Statement]], at: datetime) -> tuple[str, frozenset[tuple[str, str]], int]:
    """Return state, pairs and epoch by the rules as a person would say them."""
    on_work = any(statement.about == "work" for _, statement in told)
    governing = {"work": ("none", frozenset()), "default": ("none", frozenset())}
    begun = set()
    for index, (when, said) in enumerate(told):
        start = when + timedelta(seconds=said.starts_in or 0)
        end = datetime.max.replace(tzinfo=UTC) if said.lasts is None else start + timedelta(seconds=said.lasts)
        in_time = ["expired", "active"][at < end]
        state = "withdrawn" if said.level is None else in_time
        spoken_before = any(earlier.about == "work" for _, earlier in told[:index])
        everything = ["default", "work"] if spoken_before else ["default"]
        for scope in {"everything": everything}.get(said.about, [said.about]) if start <= at else []:
            governing[scope] = (state, PAIRS[said.level or "infer"] if state == "active" else frozenset())
            begun.add(scope)
    state, pairs = governing["work" if on_work and "work" in begun else "default"]
    return state, pairs, len(told)


@settings(max_examples=examples(100))
@given(history=histories, after=st.integers(0, 300))
def test_the_answer_is_that_of_the_reference_model(history: list[Statement], after: int) -> None:
    story = Story()
    story.tell(history)

    assert story.ask(after) == reference(story.told, story.clock.now() + timedelta(seconds=after))


@laws
@given(history=histories, pause=pauses, after=st.integers(0, 1000))
def test_after_everything_is_withdrawn_no_earlier_statement_ever_permits_again(
    history: list[Statement], pause: int, after: int
) -> None:
    story = Story()
    story.tell([*history, Statement(pause, "everything", None)])

    assert story.ask(after)[:2] == (ConsentState.WITHDRAWN, frozenset())


@laws
@given(history=histories, pause=pauses, later=st.lists(default_grants, max_size=4), after=st.integers(0, 1000))
def test_no_default_ever_permits_a_work_that_was_withdrawn(
    history: list[Statement], pause: int, later: list[Statement], after: int
) -> None:
    story = Story()
    story.tell([*history, Statement(pause, "work", None), *later])

    assert story.ask(after)[0] == ConsentState.WITHDRAWN


@laws
@given(history=histories, later=st.lists(default_grants, max_size=3), after=st.integers(0, 300))
def test_a_work_with_a_statement_in_force_does_not_depend_on_the_default(
    history: list[Statement], later: list[Statement], after: int
) -> None:
    story = Story()
    story.tell([*history, Statement(0, "work", "infer")])
    moment = story.clock.now() + timedelta(seconds=after)
    story.tell(later)

    assert effective_consent(asset=story.asset, at=max(moment, story.clock.now())).pairs == PAIRS["infer"]


@laws
@given(history=histories)
def test_every_statement_begins_one_epoch(history: list[Statement]) -> None:
    story = Story()
    epochs = [story.ask(0)[2]]
    for statement in history:
        story.tell([statement])
        epochs.append(story.ask(0)[2])

    assert epochs == list(range(len(history) + 1))


@laws
@given(history=histories, after=st.integers(0, 300))
def test_only_active_consent_permits_anything(history: list[Statement], after: int) -> None:
    story = Story()
    story.tell(history)

    state, pairs, _ = story.ask(after)

    assert bool(pairs) == (state == ConsentState.ACTIVE)
