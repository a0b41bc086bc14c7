import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.catalog import media
from governance.catalog.containers import Container
from governance.catalog.errors import MediaRefused
from governance.catalog.media import inspect_image
from governance.catalog.types import ImageFacts
from tests.effort import examples
from tests.factories.images import encoded, image_bytes, noise

PIXELS = 10_000
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


def refusal(data: bytes, *, max_pixels: int = PIXELS) -> str:
    """Return the code with which an image is refused."""
    with pytest.raises(MediaRefused) as caught:
        inspect_image(data, max_pixels=max_pixels)
    assert caught.value.details["field"] == "file"
    return caught.value.error_code


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + png_chunk(b"IEND", b"")


def png_header(width: int, height: int) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))


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
    assert inspect_image(IMAGES[name], max_pixels=PIXELS) == ImageFacts(media_type, 32, 24)


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

    assert refusal(encoded(frames[0], kind, save_all=True, append_images=frames[1:])) == "media_type_unsupported"


def test_a_jpeg_of_several_pictures_is_not_taken() -> None:
    assert refusal(encoded(noise(), "MPO", save_all=True, append_images=[noise(seed=1)])) == "media_undecodable"


def test_a_jpeg_that_only_announces_several_pictures_is_not_taken() -> None:
    pair = encoded(noise(), "MPO", save_all=True, append_images=[noise(seed=1)])
    first = pair[: pair.index(b"\xff\xd9\xff\xd8") + 2]

    assert refusal(first) == "media_type_unsupported"


def test_an_image_that_decodes_to_another_size_than_its_structure_says_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(media, "read_container", lambda _: Container("PNG", "image/png", 16, 16))

    assert refusal(IMAGES["png"]) == "media_undecodable"


def test_fill_bytes_between_jpeg_segments_are_nothing() -> None:
    data = IMAGES["jpeg"]

    assert inspect_image(data[:2] + b"\xff\xff" + data[2:], max_pixels=PIXELS).width == 32


@settings(max_examples=examples(150))
@given(data=sampled_image, share=st.floats(0, 1, exclude_max=True))
def test_whatever_is_cut_off_is_refused(data: bytes, share: float) -> None:
    assert refusal(data[: int(len(data) * share)]) in {"media_type_unsupported", "media_undecodable"}


@settings(max_examples=examples(150))
@given(data=sampled_image, behind=st.binary(min_size=1, max_size=40))
def test_whatever_hides_behind_an_image_is_refused(data: bytes, behind: bytes) -> None:
    assert refusal(data + behind) == "media_undecodable"


@settings(max_examples=examples(400))
@given(data=sampled_image, seed=st.integers(0, 2**32), changes=st.integers(1, 30))
def test_damage_is_refused_or_harmless_but_never_crashes(data: bytes, seed: int, changes: int) -> None:
    chance = random.Random(seed)
    damaged = bytearray(data)
    for _ in range(changes):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)

    with suppress(MediaRefused):
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
        png(png_header(60_000, 60_000), png_chunk(b"IDAT", zlib.compress(bytes(1000)))),
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

    assert refusal(data[:-2] + data[last:-2] * 64 + data[-2:]) == "media_undecodable"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n",
        IMAGES["png"][:-12],
        png(png_header(32, 24)),
        png(png_header(32, 24), png_header(32, 24)),
        png(png_chunk(b"IDAT", zlib.compress(bytes(100)))),
        png(png_chunk(b"IHDR", b"short")),
        png(png_header(32, 24), png_chunk(b"IDAT", zlib.compress(bytes(100)))),
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
