import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inference_workers.moderators.views import OVERLAP, SMALLEST_WINDOW, views
from tests.effort import examples


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_small_picture_is_looked_at_once(mode: str) -> None:
    (view,) = views(Image.new(mode, (2 * SMALLEST_WINDOW - 1, 40)))
    assert (view.mode, view.size) == ("RGB", (2 * SMALLEST_WINDOW - 1, 40))


@settings(max_examples=examples(20))
@given(width=st.integers(1, 6 * SMALLEST_WINDOW), height=st.integers(1, 6 * SMALLEST_WINDOW))
def test_no_window_is_closer_than_the_smallest(width: int, height: int) -> None:
    looks = views(Image.new("L", (width, height)))
    assert looks[0].size == (width, height)
    assert min(max(look.size) for look in looks) >= min(SMALLEST_WINDOW, max(width, height))


@settings(max_examples=examples(20))
@given(left=st.integers(0, 2200), top=st.integers(0, 1100))
def test_a_small_motif_of_a_large_picture_is_seen_whole_at_every_closeness(left: int, top: int) -> None:
    """The picture has windows of 2400, 1200 and 600+ pixels; the motif is no larger than their overlap."""
    edge = int(SMALLEST_WINDOW * OVERLAP)
    picture = Image.new("L", (2600, 1400))
    picture.paste("white", (left, top, left + edge, top + edge))
    looks = views(picture)
    whole = [look.size for look in looks if np.count_nonzero(np.asarray(look.getchannel("R"))) == edge**2]
    assert {max(size) for size in whole} == {2600, 1300, 650}


def test_what_transparency_hides_is_looked_at() -> None:
    hidden = Image.new("RGBA", (4, 4), (200, 100, 50, 0))
    assert [view.getpixel((0, 0)) for view in views(hidden)] == [(200, 100, 50), (0, 0, 0), (255, 255, 255)]
