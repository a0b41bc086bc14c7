import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from governance.config.settings import base
from inference_workers.moderators.views import (
    MAX_VIEWS,
    OVERLAP,
    SMALLEST_WINDOW,
    THIN,
    Pixels,
    Viewer,
    Window,
    view_count,
    windows,
)
from tests.effort import examples

EDGE = 320


def views(picture: Image.Image) -> list[Pixels]:
    viewer = Viewer(picture, edge=EDGE)
    return [view for window in windows(*picture.size) for view in viewer.views(window)]


def shows(window: Window, left: int, top: int, edge: int) -> bool:
    right, bottom = window.left + window.width, window.top + window.height
    return window.left <= left and window.top <= top and left + edge <= right and top + edge <= bottom


def share_of_motif(window: Window, left: int, top: int, edge: int) -> float:
    right, bottom = window.left + window.width, window.top + window.height
    wide = max(0, min(right, left + edge) - max(window.left, left))
    high = max(0, min(bottom, top + edge) - max(window.top, top))
    return wide * high / (window.width * window.height)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_small_picture_is_looked_at_once(mode: str) -> None:
    (view,) = views(Image.new(mode, (2 * SMALLEST_WINDOW - 1, SMALLEST_WINDOW)))
    assert view.shape == (160, EDGE, 3)


@settings(max_examples=examples(50))
@given(width=st.integers(1, 6 * SMALLEST_WINDOW), height=st.integers(1, 6 * SMALLEST_WINDOW))
def test_no_window_is_closer_than_the_smallest_unless_the_picture_is_thin(width: int, height: int) -> None:
    found = list(windows(width, height))
    thin = THIN * min(width, height)
    assert (found[0].width, found[0].height) == (width, height)
    assert min(window.edge for window in found) >= min(SMALLEST_WINDOW, max(width, height), thin // 2)


@settings(max_examples=examples(50))
@given(left=st.integers(0, 2400), top=st.integers(0, 1200))
def test_a_small_motif_of_a_large_picture_is_seen_whole_at_every_closeness(left: int, top: int) -> None:
    """The picture has windows of 2600, 1300 and 650 pixels; the motif is no larger than their overlap."""
    motif = int(SMALLEST_WINDOW * OVERLAP)
    whole = {window.edge for window in windows(2600, 1400) if shows(window, left, top, motif)}
    assert whole == {2600, 1300, 650}


@settings(max_examples=examples(50))
@given(left=st.integers(0, 3940))
def test_a_motif_as_high_as_a_thin_picture_is_seen_at_a_fifth_of_the_view_or_more(left: int) -> None:
    assert any(shows(window, left, 0, 60) and window.edge <= 5 * 60 for window in windows(4000, 60))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("place", [(0, 0), (2400, 1200), (1333, 777)])
def test_a_view_shows_what_is_in_its_window(mode: str, place: tuple[int, int]) -> None:
    picture = Image.new(mode, (2600, 1400))
    picture.paste("white", (*place, place[0] + 200, place[1] + 200))
    found = list(windows(*picture.size))
    shown = [Viewer(picture, edge=EDGE).views(window)[0].mean() / 255 for window in found]
    assert shown == pytest.approx([share_of_motif(window, *place, 200) for window in found], abs=0.01)


@settings(max_examples=examples(20))
@given(width=st.integers(1, 1500), height=st.integers(1, 1500), mode=st.sampled_from(["L", "LA", "RGB", "RGBA"]))
def test_any_picture_has_views_of_the_same_edge_and_no_more_than_are_counted(
    width: int, height: int, mode: str
) -> None:
    found = views(Image.new(mode, (width, height)))
    assert len(found) <= view_count(width, height, transparent=mode.endswith("A"))
    assert {(max(view.shape[:2]), view.shape[2], str(view.dtype)) for view in found} == {(EDGE, 3, "uint8")}


def test_what_transparency_hides_is_looked_at() -> None:
    hidden = Image.new("RGBA", (4, 4), (200, 100, 50, 0))
    assert [view[0, 0].tolist() for view in views(hidden)] == [[200, 100, 50], [0, 0, 0], [255, 255, 255]]


def test_transparency_is_seen_on_black_and_on_white_in_large_windows_too() -> None:
    half = Image.new("RGBA", (3000, 3000), (200, 100, 50, 128))
    colours = {tuple(view[150, 150].tolist()) for view in views(half)}
    assert colours == {(200, 100, 50), (100, 50, 25), (227, 177, 152)}


def test_opaque_parts_of_a_picture_with_transparency_are_looked_at_once() -> None:
    picture = Image.new("RGBA", (1300, 1300), (10, 20, 30, 255))
    assert len(views(picture)) == view_count(1300, 1300, transparent=False)
    picture.putpixel((0, 0), (0, 0, 0, 0))
    clear = Image.new("RGBA", (60, 60))
    picture.paste(clear, (0, 0))
    assert len(views(picture)) == view_count(1300, 1300, transparent=False) + 2 * 2


def largest(pixels: int) -> list[tuple[int, int]]:
    """Return sizes with about that many pixels, from square to twenty times as long as high."""
    return [(int(pixels / high), int(high)) for high in np.linspace((pixels / 20) ** 0.5, pixels**0.5, 4000)]


def test_the_default_limits_fit_the_budget() -> None:
    """Also where the picture has transparency, and a size at which there is one more closeness."""
    limit = max(base.ASSENT_MAX_PIXELS, base.ASSENT_MAX_OUTPUT_PIXELS)
    worst = max(view_count(*size, transparent=True) for size in largest(limit))
    assert worst <= MAX_VIEWS == base.ASSENT_MODERATION_VIEWS
