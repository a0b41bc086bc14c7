import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from governance.demo import samples
from governance.pictures.encoding import encode_png
from governance.pictures.errors import PictureRefused
from governance.workflows.types import LabelScore, ModerationScores
from inference_workers.errors import RuntimeFault
from inference_workers.moderators.nudenet import (
    INPUT_EDGE,
    MODEL_SHA256,
    REPORT_FLOOR,
    UNSAFE_LABELS,
    NudeNetModerator,
    on_canvas,
    to_scores,
)
from inference_workers.moderators.views import Viewer, windows
from tests.factories.images import decoded, image_bytes
from tests.factories.pictures import curve, iccp, png_of, rgb_profile, steep

LABELS = ("FACE_FEMALE", "FEMALE_BREAST_EXPOSED", "MALE_BREAST_EXPOSED")
UNSAFE = {"FEMALE_BREAST_EXPOSED"}


def scores(*anchors: tuple[float, ...]) -> ModerationScores:
    return to_scores(np.array(anchors, np.float32), labels=LABELS, unsafe_labels=UNSAFE)


@pytest.fixture(scope="module")
def moderator() -> NudeNetModerator:
    return NudeNetModerator()


def test_an_exposed_detection_sets_the_score() -> None:
    """No unsafe photo ships with any package, so the mapping from the network's output is tested, not the network."""
    assert scores((0.1, 0.05, 0.0), (0.0, 0.91, 0.3)) == ModerationScores(
        score=0.91, labels=(LabelScore("FEMALE_BREAST_EXPOSED", 0.91), LabelScore("MALE_BREAST_EXPOSED", 0.3))
    )


def test_a_face_and_a_bare_chest_are_reported_but_not_unsafe() -> None:
    seen = scores((0.97, 0.01, 0.88))
    assert seen.score == 0.01
    assert [label.label for label in seen.labels] == ["FACE_FEMALE", "MALE_BREAST_EXPOSED"]


def test_an_unsafe_label_counts_even_where_another_one_wins_the_box() -> None:
    assert scores((0.9, 0.6, 0.0)).score == 0.6


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_confidence_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(RuntimeFault) as raised:
        scores((0.1, value, 0.1))
    assert raised.value.error_code == "moderator_failed"


@given(arrays.arrays(np.float32, (5, 3), elements=st.floats(0, 1, width=32)))
def test_the_score_is_the_highest_unsafe_confidence_and_more_anchors_never_lower_it(confidences: np.ndarray) -> None:
    some = to_scores(confidences[:3], labels=LABELS, unsafe_labels=UNSAFE)
    every = to_scores(confidences, labels=LABELS, unsafe_labels=UNSAFE)
    assert every.score == round(float(confidences[:, 1].max()), 4) >= some.score
    assert all(label.score >= REPORT_FLOOR for label in every.labels)


@pytest.mark.parametrize("name", samples.names())
def test_real_photos_score_low_with_the_real_weights(moderator: NudeNetModerator, name: str) -> None:
    """The thresholds of the shipped rules are at 0.5 and above. That nudity scores high is not shown here."""
    assert moderator.score(samples.photo_png(name)).score < 0.2
    assert moderator.score(samples.low_resolution_png(name)).score < 0.2


def test_a_large_mosaic_of_real_photos_scores_low(moderator: NudeNetModerator) -> None:
    assert moderator.score(samples.large_png()).score < 0.3


@pytest.fixture(scope="module")
def face_moderator() -> NudeNetModerator:
    """Return a moderator for which faces are unsafe: there are photographs of those in packages."""
    return NudeNetModerator(unsafe_labels=frozenset({"FACE_FEMALE"}))


def in_a_corner(place: tuple[int, int], mode: str = "RGB") -> bytes:
    """Return a portrait of 400 pixels somewhere in a large picture of gravel."""
    with Image.open(io.BytesIO(samples.packaged_file("skimage", "data/gravel.png"))) as gravel:
        picture = gravel.convert(mode).resize((3000, 2000))
    with Image.open(io.BytesIO(samples.photo_png("astronaut"))) as photo:
        picture.paste(photo.convert(mode).resize((400, 400), Image.Resampling.LANCZOS), place)
    return encode_png(picture)


@pytest.mark.parametrize("place", [(0, 0), (2600, 1600), (1423, 13)])
def test_a_person_in_a_corner_of_a_large_picture_is_found(
    face_moderator: NudeNetModerator, place: tuple[int, int]
) -> None:
    assert face_moderator.score(in_a_corner(place)).score > 0.6


def test_one_who_is_found_is_not_lost_by_looking_again(face_moderator: NudeNetModerator) -> None:
    assert face_moderator.score(samples.photo_png("astronaut")).score > 0.8
    assert face_moderator.score(samples.low_resolution_png("astronaut")).score > 0.7


@pytest.mark.parametrize(
    ("name", "box", "edge"),
    [
        ("coffee", (150, 100, 450, 300), 2048),
        ("clock_motion", (0, 0, 400, 300), 2048),
        ("chelsea", (180, 120, 451, 300), 2048),
        ("color", (0, 0, 371, 370), 512),
        ("ihc", (0, 0, 512, 512), 2048),
    ],
)
def test_what_looks_like_skin_at_first_look_is_not_unsafe(
    moderator: NudeNetModerator, name: str, box: tuple[int, int, int, int], edge: int
) -> None:
    """Those of `benchmarks/moderation.py` that come nearest to the threshold, which is 0.6."""
    with Image.open(io.BytesIO(samples.packaged_file("skimage", f"data/{name}.png"))) as photo:
        crop = photo.convert("RGB").crop(box)
    ratio = edge / max(crop.size)
    large = crop.resize((round(crop.width * ratio), round(crop.height * ratio)), Image.Resampling.LANCZOS)
    assert moderator.score(encode_png(large)).score < 0.6


def test_more_views_than_the_budget_has_are_refused_before_any_is_looked_at() -> None:
    with pytest.raises(RuntimeFault) as raised:
        NudeNetModerator(max_views=4).score(encode_png(Image.new("RGB", (1300, 1300))))
    assert raised.value.error_code == "moderation_views_exceeded"
    assert raised.value.details == {"views": 10, "max_views": 4}


def test_what_the_heartbeat_raises_ends_the_moderation(moderator: NudeNetModerator) -> None:
    def stop() -> None:
        raise RuntimeFault("The lease was lost.", code="lease_lost")

    with pytest.raises(RuntimeFault, match="lease was lost"):
        moderator.score(samples.low_resolution_png("rocket"), stop)


def test_the_network_really_looks(moderator: NudeNetModerator) -> None:
    seen = moderator.score(samples.photo_png("astronaut"))
    assert seen.labels[0].label == "FACE_FEMALE"
    assert seen.labels[0].score > 0.7


def test_a_turned_photo_is_looked_at_upright(moderator: NudeNetModerator) -> None:
    exif, turned = Image.Exif(), io.BytesIO()
    exif[0x0112] = 3
    photo = decoded(samples.photo_png("astronaut"))
    photo.transpose(Image.Transpose.ROTATE_180).save(turned, "PNG", exif=exif)
    assert moderator.score(turned.getvalue()) == moderator.score(encode_png(photo))


def test_threads_share_one_moderator(moderator: NudeNetModerator) -> None:
    photos = [samples.low_resolution_png(name) for name in samples.names()] * 3
    with ThreadPoolExecutor(max_workers=4) as pool:
        assert list(pool.map(moderator.score, photos)) == [moderator.score(photo) for photo in photos]


def test_the_digest_is_that_of_the_weights(moderator: NudeNetModerator) -> None:
    packaged = samples.packaged_file("nudenet", "320n.onnx")
    assert moderator.artifact_digest == MODEL_SHA256 == hashlib.sha256(packaged).hexdigest()


def test_every_unsafe_label_is_an_exposed_one() -> None:
    assert all(label.endswith("_EXPOSED") for label in UNSAFE_LABELS)


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    altered = tmp_path / "320n.onnx"
    altered.write_bytes(samples.packaged_file("nudenet", "320n.onnx") + b"x")
    with pytest.raises(RuntimeFault) as raised:
        NudeNetModerator(model=altered)
    assert raised.value.error_code == "moderator_unloadable"


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFault, match="cannot be read"):
        NudeNetModerator(model=tmp_path / "absent.onnx")


def test_a_photo_hidden_by_its_profile_is_looked_at_as_viewers_show_it(moderator: NudeNetModerator) -> None:
    """The brightest twelfth of the levels holds the photo; its profile spreads them over everything that is seen."""
    photo = decoded(samples.low_resolution_png("astronaut"))
    light = rgb_profile((curve([]),) * 3)
    levels = (np.asarray(photo).astype(int) // 12 + 234).astype(np.uint8)
    hidden = png_of(levels, iccp(rgb_profile((steep(234 / 255, 1),) * 3)))
    plain = png_of(np.rint((levels - 234) / 21 * 255), iccp(light))

    found = {each.label for each in moderator.score(hidden).labels}

    assert found == {each.label for each in moderator.score(plain).labels} != set()


def test_an_unsafe_label_that_the_network_does_not_know_is_refused() -> None:
    with pytest.raises(RuntimeFault, match="VIOLENCE"):
        NudeNetModerator(unsafe_labels=frozenset({"VIOLENCE"}))


@pytest.mark.parametrize(
    ("data", "code"), [(b"no image", "media_type_unsupported"), (image_bytes()[:-20], "media_undecodable")]
)
def test_an_unreadable_image_is_refused(moderator: NudeNetModerator, data: bytes, code: str) -> None:
    with pytest.raises(PictureRefused) as raised:
        moderator.score(data)
    assert raised.value.error_code == code


def test_an_image_past_the_limit_is_refused() -> None:
    with pytest.raises(PictureRefused) as raised:
        NudeNetModerator(max_pixels=11).score(encode_png(Image.new("L", (4, 3))))
    assert raised.value.error_code == "image_too_large"


@given(width=st.integers(1, 700), height=st.integers(1, 700))
def test_any_picture_fits_the_input(width: int, height: int) -> None:
    picture = Image.new("RGB", (width, height), "white")
    [view] = Viewer(picture, edge=INPUT_EDGE).views(next(windows(width, height)))
    filled = on_canvas(view)
    assert filled.shape == (3, INPUT_EDGE, INPUT_EDGE)
    assert (filled[:, 0, 0].tolist(), filled.min() >= 0, filled.max() <= 1) == ([1, 1, 1], True, True)
