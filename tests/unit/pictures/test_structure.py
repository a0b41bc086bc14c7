import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.pictures.decoding import inspect
from governance.pictures.errors import PictureRefused
from governance.pictures.limits import Limits
from governance.pictures.types import Facts, Metadata
from tests.effort import examples
from tests.factories.images import encoded, image_bytes, noise
from tests.factories.pictures import (
    gama,
    jpeg_segment,
    mp4,
    png_chunk,
    png_file,
    png_header,
    png_of,
    webp_file,
    with_segments,
)

PIXELS = 10_000
SAMPLES = np.asarray(noise())
IMAGES = {
    "png": image_bytes("PNG"),
    "jpeg": image_bytes("JPEG"),
    "progressive": image_bytes("JPEG", progressive=True),
    "restart_markers": image_bytes("JPEG", restart_marker_rows=1),
    "lossy": image_bytes("WEBP"),
    "lossless": image_bytes("WEBP", lossless=True),
    "transparent": encoded(noise(mode="RGBA"), "WEBP"),
}
any_image = pytest.mark.parametrize("data", IMAGES.values(), ids=IMAGES.keys())
sampled_image = st.sampled_from(sorted(IMAGES.values()))


def inspect_image(data: bytes, *, max_pixels: int = PIXELS) -> Facts:
    return inspect(data, Limits(max_pixels=max_pixels, max_edge=100_000))


def refused(data: bytes, limits: Limits) -> PictureRefused:
    """Return the error with which an image is refused."""
    with pytest.raises(PictureRefused) as caught:
        inspect(data, limits)
    assert caught.value.details["field"] == "file"
    return caught.value


def refusal(data: bytes, *, max_pixels: int = PIXELS) -> str:
    """Return the code with which an image is refused."""
    return refused(data, Limits(max_pixels=max_pixels, max_edge=100_000)).error_code


def with_jpeg_size(data: bytes, width: int, height: int) -> bytes:
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("index.html", "<script>alert(1)</script>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "media_type"), [("png", "image/png"), ("progressive", "image/jpeg"), ("transparent", "image/webp")]
)
def test_an_image_is_known_by_its_content(name: str, media_type: str) -> None:
    assert inspect_image(IMAGES[name], max_pixels=PIXELS) == Facts(media_type, 32, 24)


@any_image
def test_every_kind_of_still_image_is_taken(data: bytes) -> None:
    assert inspect_image(data, max_pixels=32 * 24).width == 32


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_pixel_format_of_png_is_taken(mode: str) -> None:
    assert inspect_image(encoded(noise(mode=mode)), max_pixels=PIXELS).height == 24


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PPM"])
def test_other_images_are_not_taken(kind: str) -> None:
    assert refusal(image_bytes(kind)) == "media_type_unsupported"


@pytest.mark.parametrize("data", [b"", b"\x89PNG", b"<svg/>", b"%PDF-1.7", b"RIFF\x04\0\0\0WAVE", archive()])
def test_what_is_no_image_is_not_taken(data: bytes) -> None:
    assert refusal(data) == "media_type_unsupported"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animation_is_not_taken(kind: str) -> None:
    frames = [noise(seed=1), noise(seed=2)]

    error = refused(encoded(frames[0], kind, save_all=True, append_images=frames[1:]), Limits())

    assert error.error_code == "media_type_unsupported"
    assert error.details == {"field": "file", "limit": "max_frames", "allowed": 1}


def test_fill_bytes_between_jpeg_segments_are_nothing() -> None:
    data = IMAGES["jpeg"]

    assert inspect_image(data[:2] + b"\xff\xff" + data[2:], max_pixels=PIXELS).width == 32


@settings(max_examples=examples(150))
@given(data=sampled_image, share=st.floats(0, 1, exclude_max=True))
def test_whatever_is_cut_off_is_refused(data: bytes, share: float) -> None:
    assert refusal(data[: int(len(data) * share)]) in {"media_type_unsupported", "media_undecodable"}


@settings(max_examples=examples(400))
@given(data=sampled_image, seed=st.integers(0, 2**32), changes=st.integers(1, 30))
def test_damage_is_refused_or_harmless_but_never_crashes(data: bytes, seed: int, changes: int) -> None:
    chance = random.Random(seed)
    damaged = bytearray(data)
    for _ in range(changes):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)

    with suppress(PictureRefused):
        facts = inspect_image(bytes(damaged), max_pixels=PIXELS)
        assert facts.width * facts.height <= PIXELS


@pytest.mark.parametrize(
    "hide",
    [
        lambda data: data[:-12] + png_chunk(b"prVt", archive()) + data[-12:],
        lambda data: data[:33] + png_chunk(b"prVt", b"%PDF-1.4 ...") + data[33:],
    ],
    ids=["archive", "document"],
)
def test_an_image_that_is_something_else_as_well_is_refused(hide: Callable[[bytes], bytes]) -> None:
    assert refusal(hide(IMAGES["png"])) == "media_undecodable"


def test_an_archive_in_a_jpeg_comment_is_refused() -> None:
    comment = archive()
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment

    assert refusal(IMAGES["jpeg"][:2] + segment + IMAGES["jpeg"][2:]) == "media_undecodable"


@pytest.mark.parametrize(
    "bomb",
    [
        png_file(png_header(60_000, 60_000, kind=0), png_chunk(b"IDAT", zlib.compress(bytes(1000)))),
        with_jpeg_size(IMAGES["jpeg"], 65_000, 65_000),
        b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\xff" + bytes(8) + b"\0",
    ],
    ids=["png", "jpeg", "webp"],
)
def test_a_bomb_is_refused_by_its_header(bomb: bytes) -> None:
    assert refusal(bomb, max_pixels=40_000_000) == "image_too_large"


def test_a_bomb_that_only_the_decoder_sees_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 100)

    assert refusal(IMAGES["png"]) == "image_too_large"


def test_pixels_are_counted_exactly() -> None:
    assert inspect_image(IMAGES["png"], max_pixels=32 * 24)
    assert refusal(IMAGES["png"], max_pixels=32 * 24 - 1) == "image_too_large"


@pytest.mark.parametrize(("width", "height"), [(7, 8), (8, 7), (1, 1)])
def test_tiny_images_are_refused(width: int, height: int) -> None:
    assert refusal(image_bytes(width=width, height=height)) == "image_too_small"


def test_eight_pixels_are_enough() -> None:
    assert inspect_image(image_bytes(width=8, height=8), max_pixels=PIXELS).width == 8


def test_a_jpeg_with_too_many_scans_is_refused() -> None:
    data = image_bytes("JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")

    assert refusal(data[:-2] + data[last:-2] * 64 + data[-2:]) == "image_too_complex"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n",
        IMAGES["png"][:-12],
        png_file(png_header(32, 24, kind=0)),
        png_file(png_header(32, 24, kind=0), png_header(32, 24, kind=0)),
        png_file(png_chunk(b"IDAT", zlib.compress(bytes(100)))),
        png_file(png_chunk(b"IHDR", b"short")),
        png_file(png_header(32, 24, kind=0), png_chunk(b"IDAT", zlib.compress(bytes(100)))),
        IMAGES["png"][:-12] + png_chunk(b"prVt", b"note")[:-1] + b"\0" + IMAGES["png"][-12:],
        IMAGES["png"][:40] + b"\0" + IMAGES["png"][41:],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xc0\x00\x03\x08\xff\xd9",
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x0c\0\0\0WEBPVP8L\0\0\0\0",
        b"RIFF\x0c\0\0\0WEBPVP8L\xff\0\0\0",
        IMAGES["transparent"].replace(b"VP8 ", b"VP9 "),
    ],
)
def test_a_damaged_structure_is_refused(data: bytes) -> None:
    assert refusal(data) in {"media_undecodable", "image_too_small"}


def test_a_canvas_larger_than_its_picture_is_refused() -> None:
    data = IMAGES["transparent"]

    assert refusal(data[:24] + b"\xff" + data[25:]) == "media_undecodable"


@pytest.mark.parametrize(
    ("width", "height", "code", "told"),
    [
        (100_001, 8, "image_too_large", {"limit": "max_edge", "allowed": 16_384, "found": 100_001}),
        (8, 16_385, "image_too_large", {"limit": "max_edge", "allowed": 16_384, "found": 16_385}),
        (400, 16, "image_too_narrow", {"limit": "max_ratio", "allowed": 20, "found": 25}),
        (401, 20, "image_too_narrow", {"limit": "max_ratio", "allowed": 20, "found": 21}),
        (5000, 4001, "image_too_large", {"limit": "max_pixels", "allowed": 20_000_000, "found": 20_005_000}),
        (7, 20, "image_too_small", {"limit": "min_side", "allowed": 8, "found": 7}),
    ],
)
def test_a_size_out_of_bounds_is_told_with_its_limit(width: int, height: int, code: str, told: dict) -> None:
    header_only = png_file(png_header(width, height, kind=0), png_chunk(b"IDAT", b""))

    error = refused(header_only, Limits())

    assert (error.error_code, error.details) == (code, {"field": "file", **told})


def test_a_picture_at_the_limits_is_taken() -> None:
    limits = Limits(max_edge=160, max_ratio=20, max_pixels=160 * 8)

    assert inspect(image_bytes(width=160, height=8), limits).width == 160


FLOODS = {
    "png": png_file(png_header(32, 24), *[png_chunk(b"prVt")] * 10_000, png_chunk(b"IDAT", b"")),
    "jpeg": with_segments(IMAGES["jpeg"], *[jpeg_segment(0xFE, b"")] * 10_000),
    "webp": webp_file(*[(b"none", b"")] * 10_000, (b"VP8L", IMAGES["lossless"][20:])),
    "further_pictures": IMAGES["jpeg"] + b"\xff\xd8\xff\xd9" * 10_000,
    "boxes": IMAGES["jpeg"] + mp4() + struct.pack(">I4s", 8, b"free") * 10_000,
}


@pytest.mark.parametrize("data", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_of_empty_parts_is_refused_where_it_passes_the_limit(data: bytes) -> None:
    error = refused(data, Limits())

    assert error.error_code == "image_too_complex"
    assert error.details == {"field": "file", "limit": "max_parts", "allowed": 10_000, "found": 10_001}


def test_scans_are_limited_by_the_pixels_that_each_passes_over() -> None:
    data = image_bytes("JPEG", progressive=True)

    error = refused(data, Limits(max_scan_pixels=32 * 24 * 3))

    assert error.details == {"field": "file", "limit": "max_scans", "allowed": 3, "found": data.count(b"\xff\xda")}


def test_a_flood_of_tables_is_refused() -> None:
    data = with_segments(IMAGES["jpeg"], *[jpeg_segment(0xDB, bytes(65_000))] * 5)

    assert refusal(data) == "image_too_complex"


@pytest.mark.parametrize(
    "data",
    [
        png_of(SAMPLES, png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(5_000_000)))),
        with_segments(
            IMAGES["jpeg"],
            *[jpeg_segment(0xE2, b"ICC_PROFILE\0" + bytes((n, 80)) + bytes(65_000)) for n in range(1, 81)],
        ),
        webp_file(
            (b"VP8X", bytes(4) + b"\x1f\0\0\x17\0\0"), (b"ICCP", bytes(5_000_000)), (b"VP8L", IMAGES["lossless"][20:])
        ),
    ],
    ids=["png", "jpeg", "webp"],
)
def test_a_colour_profile_is_never_inflated_past_the_limit(data: bytes) -> None:
    error = refused(data, Limits())

    assert (error.error_code, error.details["limit"]) == ("image_too_complex", "max_metadata_bytes")


def test_texts_of_a_png_file_are_not_inflated() -> None:
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80_000_000), 9))

    assert inspect(png_of(SAMPLES, bomb), Limits()).metadata == (Metadata.TEXT,)


@pytest.mark.parametrize(
    "chunks",
    [
        (gama(0.5), gama(0.6)),
        (png_chunk(b"Need", b"me"),),
        (png_chunk(b"PLTE", bytes(6)), gama(0.5)),
        (png_chunk(b"tRNS", bytes(2)),),
        (png_chunk(b"PLTE", bytes(7)),),
    ],
    ids=["stated_twice", "critical", "late_colours", "short_key", "odd_palette"],
)
def test_what_decoders_read_differently_is_refused(chunks: tuple[bytes, ...]) -> None:
    assert refusal(png_of(SAMPLES, *chunks)) == "media_undecodable"


@pytest.mark.parametrize("late", [gama(0.5), png_chunk(b"IDAT", b"")])
def test_chunks_behind_the_pixels_that_belong_before_them_are_refused(late: bytes) -> None:
    data = IMAGES["png"][:-12] + png_chunk(b"tEXt", b"a\0b") + late + IMAGES["png"][-12:]

    assert refusal(data) == "media_undecodable"


@pytest.mark.parametrize("frame", [0xC3, 0xC9, 0xCA, 0xCB, 0xDE])
def test_jpeg_codings_that_viewers_do_not_read_are_refused(frame: int) -> None:
    data = IMAGES["jpeg"].replace(b"\xff\xc0", bytes((0xFF, frame)))

    assert refusal(data) == "media_type_unsupported"


@pytest.mark.parametrize("marker", [0x01, 0x02, 0xBF, 0xD0, 0xD8])
def test_markers_that_have_no_place_in_a_jpeg_file_are_refused(marker: int) -> None:
    data = IMAGES["jpeg"]

    assert refusal(data[:2] + bytes((0xFF, marker)) + data[2:]) == "media_undecodable"


@pytest.mark.parametrize("filling", [b"\xff" * 400_000, b"\xff\x00" * 200_000, b"\xff\xd0" * 200_000])
def test_a_scan_that_never_ends_is_refused(filling: bytes) -> None:
    data = IMAGES["jpeg"]

    assert refusal(data[: data.index(b"\xff\xda") + 14] + filling) == "media_undecodable"


def test_a_long_run_of_fill_octets_in_a_scan_is_refused() -> None:
    data = IMAGES["jpeg"]
    middle = data.index(b"\xff\xda") + 14

    assert refusal(data[:middle] + b"\xff" * 1025 + data[middle:]) == "media_undecodable"
