import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_workers.moderators.agreement import Find, other_looks
from inference_workers.moderators.views import Window
from tests.effort import examples

WINDOW = Window(0, 0, 640, 640, 640)
UNSAFE = [1]


def find(*confidences: float) -> Find:
    return Find(WINDOW, 0, np.array(confidences, np.float32))


def others(*unsafe: float) -> list[np.ndarray]:
    return [np.array([0.0, each], np.float32) for each in unsafe]


@pytest.mark.parametrize(
    ("looks", "agreed"), [((0.9, 0.9, 0.9, 0.1), 0.9), ((0.1, 0.1, 0.1, 0.9), 0.1), ((0.95, 0.9, 0.9, 0.95), 0.9)]
)
def test_the_median_of_all_looks_counts(looks: tuple[float, ...], agreed: float) -> None:
    seen = find(0.5, 0.9)
    seen.agree(others(*looks), UNSAFE)
    assert seen.worst(UNSAFE) == pytest.approx(agreed)


def test_what_is_not_unsafe_keeps_its_first_confidence() -> None:
    seen = find(0.8, 0.9)
    seen.agree(others(0.1, 0.1), UNSAFE)
    assert seen.confidences.tolist() == pytest.approx([0.8, 0.1])


def test_a_confidence_that_is_no_number_does_not_vanish() -> None:
    seen = find(0.5, 0.9)
    seen.agree(others(float("nan"), 0.1), UNSAFE)
    assert np.isnan(seen.worst(UNSAFE))


@settings(max_examples=examples(20))
@given(width=st.integers(1, 320), height=st.integers(1, 320))
def test_every_other_look_shows_the_whole_view_and_fits_the_canvas(width: int, height: int) -> None:
    view = np.full((height, width, 3), 255, np.uint8)
    looks = other_looks(view)
    assert max(max(look.shape[:2]) for look in looks) <= 320
    shown = min(look.any(axis=2).sum() for look in looks)
    assert shown >= max(1, int(width * 0.69)) * max(1, int(height * 0.69))


def test_no_two_looks_are_the_same() -> None:
    view = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    assert len({view.tobytes(), *(look.tobytes() for look in other_looks(view))}) == 7
