import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from governance.demo import samples
from inference_workers.moderators.agreement import LOOK_AGAIN_FROM, Find, finds_in, has_detail, other_looks
from inference_workers.moderators.views import Window
from tests.effort import examples

UNSAFE = [1, 2]


def found(boxes: list[tuple[float, ...]], confidences: list[tuple[float, ...]]) -> list[Find]:
    return finds_in(np.array(boxes, np.float32).T, np.array(confidences, np.float32).T, UNSAFE, 320)


def test_each_place_is_found_once_and_the_worst_first() -> None:
    boxes = [(100, 100, 40, 40), (104, 100, 40, 40), (250, 250, 40, 40)]
    finds = found(boxes, [(0.9, 0.5, 0.1), (0.9, 0.1, 0.6), (0.9, 0.7, 0.1)])
    assert [(find.label, round(find.confidence, 2)) for find in finds] == [(1, 0.7), (2, 0.6)]
    assert finds[0].box == pytest.approx((250 / 320, 250 / 320, 40 / 320, 40 / 320))


def test_what_is_not_unsafe_or_hardly_so_is_no_find() -> None:
    assert found([(100, 100, 40, 40)], [(0.9, LOOK_AGAIN_FROM - 0.01, 0.1)]) == []


@settings(max_examples=examples(50))
@given(
    centre=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    size=st.tuples(st.floats(0, 0.4), st.floats(0, 0.4)),
    window=st.tuples(st.integers(1, 900), st.integers(1, 900)),
)
def test_closer_windows_stay_within_the_window(
    centre: tuple[float, float], size: tuple[float, float], window: tuple[int, int]
) -> None:
    outer = Window(70, 50, *window, max(window))
    closer = Find(1, 0.5, (*centre, *size), outer).closer_windows()
    assert len(closer) == 6
    assert all(each.left >= 70 and each.left + each.width <= 70 + window[0] for each in closer)
    assert all(each.top >= 50 and each.top + each.height <= 50 + window[1] for each in closer)
    assert all(each.width >= 1 and each.height >= 1 for each in closer)


def test_a_small_place_is_looked_at_up_to_twice_as_close_and_stays_whole() -> None:
    small = Find(1, 0.5, (0.25, 0.25, 0.1, 0.1), Window(0, 0, 640, 640, 640))
    large = Find(1, 0.5, (0.5, 0.5, 0.4, 0.4), Window(0, 0, 640, 640, 640))
    assert (small.small, small.closer_windows()[-1]) == (True, Window(0, 0, 320, 320, 320))
    assert (large.small, large.closer_windows()[-1].edge) == (True, round(640 * 0.4 / 0.75))
    assert not Find(1, 0.5, (0.5, 0.5, 0.41, 0.2)).small


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


def portrait(*, blur: float = 0, contrast: float = 1) -> np.ndarray:
    with Image.open(io.BytesIO(samples.photo_png("astronaut"))) as photo:
        small = photo.convert("RGB").filter(ImageFilter.GaussianBlur(blur)).resize((320, 320))
    return (np.asarray(small) * contrast + 100 * (1 - contrast)).astype(np.uint8)


@pytest.mark.parametrize("contrast", [1, 0.3, 0.1])
@pytest.mark.parametrize("blur", [0, 4, 8])
def test_a_person_is_detail_also_when_blurred_or_pale(blur: float, contrast: float) -> None:
    assert has_detail(portrait(blur=blur, contrast=contrast))


def test_a_small_sharp_thing_among_gradients_is_detail() -> None:
    rows, columns = np.mgrid[0:320, 0:320]
    gradient = np.stack([rows * 0.78, columns * 0.78, 250 - rows * 0.78], axis=2).astype(np.uint8)
    assert not has_detail(gradient)
    gradient[40:72, 40:72] = portrait()[100:132, 150:182]
    assert has_detail(gradient)


def test_one_colour_has_no_detail() -> None:
    assert not has_detail(np.full((320, 20, 3), 90, np.uint8))
