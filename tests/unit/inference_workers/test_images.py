import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference_workers.errors import RuntimeFault
from inference_workers.images import TextChunk, decode, encode_png, media_type_of

ORIENTATION = 0x0112
CORNERS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]], [[9, 9, 9], [0, 0, 0]]], np.uint8)


def encoded(image: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


def solid(mode: str, size: tuple[int, int] = (3, 2)) -> Image.Image:
    return Image.new(mode, size)


@pytest.mark.parametrize(
    ("mode", "image_format", "expected"),
    [
        ("1", "PNG", "L"),
        ("L", "PNG", "L"),
        ("LA", "PNG", "LA"),
        ("P", "PNG", "RGB"),
        ("RGB", "PNG", "RGB"),
        ("RGBA", "PNG", "RGBA"),
        ("I;16", "PNG", "L"),
        ("CMYK", "JPEG", "RGB"),
        ("L", "JPEG", "L"),
        ("RGB", "WEBP", "RGB"),
        ("P", "GIF", "RGB"),
        ("RGB", "BMP", "RGB"),
    ],
)
def test_every_readable_mode_becomes_a_plain_one(mode: str, image_format: str, expected: str) -> None:
    image = decode(encoded(solid(mode), image_format))
    assert (image.mode, image.size) == (expected, (3, 2))


def test_sixteen_bit_greyscale_keeps_the_upper_byte() -> None:
    image = Image.fromarray(np.array([[0, 256, 65535]], np.uint16))
    assert np.asarray(decode(encoded(image))).tolist() == [[0, 1, 255]]


@pytest.mark.parametrize(
    ("mode", "key", "expected", "pixel"),
    [("RGB", (0, 0, 0), "RGBA", (0, 0, 0, 0)), ("L", 0, "LA", (0, 0)), ("P", 0, "RGBA", (0, 0, 0, 0))],
)
def test_a_transparent_colour_becomes_an_alpha_channel(
    mode: str, key: object, expected: str, pixel: tuple[int, ...]
) -> None:
    image = decode(encoded(solid(mode), transparency=key))
    assert (image.mode, image.getpixel((0, 0))) == (expected, pixel)


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, CORNERS),
        (2, CORNERS[:, ::-1]),
        (3, CORNERS[::-1, ::-1]),
        (4, CORNERS[::-1]),
        (5, CORNERS.transpose(1, 0, 2)),
        (6, np.rot90(CORNERS, -1)),
        (7, CORNERS[::-1, ::-1].transpose(1, 0, 2)),
        (8, np.rot90(CORNERS, 1)),
    ],
)
def test_exif_orientation_is_applied_and_dropped(orientation: int, upright: np.ndarray) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image = decode(encoded(Image.fromarray(CORNERS), exif=exif))
    assert np.array_equal(np.asarray(image), upright)
    assert ORIENTATION not in decode(encode_png(image)).getexif()


def test_only_the_colour_profile_survives_of_the_metadata() -> None:
    exif = Image.Exif()
    exif[0x013B] = "Ada Lovelace"
    stored = encode_png(decode(encoded(solid("RGB"), "JPEG", exif=exif, icc_profile=b"profile", comment=b"secret")))
    with Image.open(io.BytesIO(stored)) as reopened:
        assert reopened.info == {"icc_profile": b"profile"}
        assert not reopened.getexif()


def test_a_profile_of_other_channels_is_dropped() -> None:
    assert decode(encoded(solid("CMYK"), "JPEG", icc_profile=b"profile")).info == {}


@pytest.mark.parametrize("data", [b"", b"not an image", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, b"%PDF-1.7"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(RuntimeFault) as raised:
        decode(data)
    assert raised.value.error_code == "image_unreadable"


@given(cut=st.integers(30, 100))
def test_a_truncated_image_is_refused(cut: int) -> None:
    rng = np.random.default_rng(0)
    whole = encoded(Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)))
    with pytest.raises(RuntimeFault, match="cannot be decoded"):
        decode(whole[:-cut])


def test_formats_outside_the_list_are_refused() -> None:
    with pytest.raises(RuntimeFault) as raised:
        decode(encoded(solid("RGB"), "TIFF"))
    assert raised.value.error_code == "image_unreadable"


def test_size_is_limited_before_decoding() -> None:
    header_only = encoded(solid("L", (100, 100)))[:60]
    with pytest.raises(RuntimeFault) as raised:
        decode(header_only, max_pixels=9_999)
    assert (raised.value.error_code, raised.value.details) == ("image_too_large", {"max_pixels": 9_999})


def test_a_decompression_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(RuntimeFault) as raised:
        decode(encoded(solid("L", (100, 100))))
    assert raised.value.error_code == "image_too_large"


def test_png_carries_text_chunks_in_both_encodings() -> None:
    stored = encode_png(
        solid("RGB"), text=[TextChunk("Copyright", "Ada"), TextChunk("note", "Zoë", international=True)]
    )
    with Image.open(io.BytesIO(stored)) as reopened:
        assert reopened.info == {"Copyright": "Ada", "note": "Zoë"}
    assert stored.count(b"tEXt") == stored.count(b"iTXt") == 1


@given(seed=st.integers(0, 2**16), width=st.integers(1, 9), height=st.integers(1, 9))
def test_png_keeps_every_pixel_and_is_deterministic(seed: int, width: int, height: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    stored = encode_png(Image.fromarray(pixels))
    assert np.array_equal(np.asarray(decode(stored)), pixels)
    assert stored == encode_png(Image.fromarray(pixels))


@pytest.mark.parametrize(("image_format", "expected"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_media_type_is_read_from_the_content(image_format: str, expected: str) -> None:
    assert media_type_of(encoded(solid("RGB"), image_format)) == expected


def test_media_type_of_something_else_is_refused() -> None:
    with pytest.raises(RuntimeFault, match="cannot be decoded"):
        media_type_of(b"text")
