"""How values look in the console."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.console import presentation
from governance.kernel import clock
from governance.kernel.clock import ManualClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (1_234_567, "1.2 MB"), (10**16, "10000.0 TB")],
)
def test_sizes_use_decimal_units(count, text):
    assert presentation.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "250 ms"), (1, "1 s"), (61, "1 min 1 s"), (3600, "1 h"), (90_061, "1 d 1 h"), (86_400, "1 d")],
)
def test_durations_name_their_two_largest_units(seconds, text):
    assert presentation.duration(seconds) == text


def test_a_past_moment_is_shown_in_one_unit():
    with clock.using(ManualClock(NOON)):
        assert ">2 h ago<" in presentation.ago(NOON - timedelta(hours=2, minutes=5))
        assert ">just now<" in presentation.ago(NOON)


def test_moments_are_shown_to_the_second_in_utc():
    shown = presentation.moment(datetime(2026, 11, 20, 14, 30, 5, tzinfo=UTC))
    assert ">20 Nov 2026, 14:30:05<" in shown
    assert 'title="20 Nov 2026, 14:30:05 UTC"' in shown


def test_what_is_not_there_is_a_dash():
    assert presentation.moment(None) == presentation.EMPTY
    assert presentation.digest("") == presentation.EMPTY
    assert presentation.code("") == presentation.EMPTY
    assert presentation.link(None) == presentation.EMPTY


def test_uses_are_gathered_by_action():
    shown = presentation.uses(
        [
            "asset.infer:research",
            "asset.infer:commercial",
            "asset.preview:research",
            "asset.preview:non_commercial",
            "asset.preview:commercial",
            "asset.preview:derivative_commercial",
        ]
    )
    assert "asset.infer: commercial, research" in shown
    assert "asset.preview: every purpose" in shown
    assert "nothing" in presentation.uses([])


@given(st.text())
def test_text_never_becomes_markup(text):
    shown = "".join([presentation.badge(text), presentation.code(text), presentation.chips([text])])
    assert "<script" not in shown
    assert shown.count("<") == shown.count(">")
