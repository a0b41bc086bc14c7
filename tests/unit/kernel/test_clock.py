from datetime import UTC, datetime, timedelta, timezone

import pytest

from governance.kernel import clock
from governance.kernel.clock import ManualClock

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_system_clock_gives_aware_utc() -> None:
    moment = clock.now()

    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - moment) < timedelta(seconds=5)


def test_manual_clock_stands_still_and_moves_both_ways() -> None:
    manual = ManualClock(START)
    with clock.using(manual):
        assert clock.now() == START == clock.now()
        manual.advance(seconds=90)
        assert clock.now() == START + timedelta(seconds=90)
        manual.advance(seconds=-100)
        assert clock.now() == START - timedelta(seconds=10)


def test_manual_clock_takes_any_zone_and_answers_in_utc() -> None:
    local = datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))

    with clock.using(ManualClock(local)):
        assert clock.now() == START
        assert clock.now().utcoffset() == timedelta(0)


def test_clocks_nest_and_the_previous_one_returns_even_after_an_error() -> None:
    with clock.using(ManualClock(START)):
        with clock.using(ManualClock(START + timedelta(days=1))):
            assert clock.now() == START + timedelta(days=1)
        with pytest.raises(RuntimeError), clock.using(ManualClock(START + timedelta(days=2))):
            raise RuntimeError
        assert clock.now() == START
    assert clock.now() > START
