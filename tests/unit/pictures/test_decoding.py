import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from governance.pictures.decoding import decode, inspect
from governance.pictures.errors import PictureRefused
from governance.pictures.limits import OUTPUT_LIMITS, Limits
from tests.effort import examples
from tests.factories.images import decoded, encoded, image_bytes, noise
from tests.factories.pictures import ORIENTATION, exif_with, iccp, png_chunk, png_of, rgb_profile, webp_file

CORNERS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]], [[9, 9, 9], [0, 0, 0]]], np.uint8)
UPRIGHT = {
    1: CORNERS,
    2: CORNERS[:, ::-1],
    3: CORNERS[::-1, ::-1],
    4: CORNERS[::-1],
    5: CORNERS.transpose(1, 0, 2),
    6: np.rot90(CORNERS, -1),
    7: CORNERS[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(CORNERS, 1),
}
PALETTE = bytes(range(48))
TRANSPARENT_ENTRY = 3


def solid(mode: str, size: tuple[int, int] = (3, 2)) -> Image.Image:
    return Image.new(mode, size)


def pixels_of(data: bytes) -> np.ndarray:
    """Return the canonical picture as (h, w, channels)."""
    pixels = np.asarray(decoded(data))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def refusal(data: bytes) -> str:
    with pytest.raises(PictureRefused) as raised:
        decode(data, OUTPUT_LIMITS)
    return raised.value.error_code


def random_samples(channels: int, depth: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**depth, (6, 11, channels))


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
        ("RGBA", "WEBP", "RGBA"),
    ],
)
def test_every_readable_mode_becomes_a_plain_one(mode: str, image_format: str, expected: str) -> None:
    image = decoded(encoded(solid(mode), image_format))

    assert (image.mode, image.size, image.info) == (expected, (3, 2), {})


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_are_scaled_to_eight_and_rounded(kind: int, channels: int, interlaced: bool) -> None:
    samples = random_samples(channels, 16)
    samples[..., -1] |= 0x0100
    data = png_of(samples, depth=16, kind=kind, filters=(0, 1, 2), interlaced=interlaced)

    assert inspect(data, OUTPUT_LIMITS)
    assert np.array_equal(pixels_of(data), np.rint(samples * 255 / 65535))


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_greys_of_few_bits_fill_the_scale(depth: int) -> None:
    samples = random_samples(1, depth)

    assert np.array_equal(pixels_of(png_of(samples, depth=depth, kind=0)), samples * 255 // (2**depth - 1))


@pytest.mark.parametrize(
    ("depth", "kind", "channels"), [(1, 0, 1), (2, 0, 1), (4, 0, 1), (8, 0, 1), (16, 0, 1), (8, 2, 3), (16, 2, 3)]
)
def test_the_transparent_colour_is_compared_before_anything_is_scaled(depth: int, kind: int, channels: int) -> None:
    samples = random_samples(channels, depth) // 2 * 2
    key = samples[2, 3]
    samples[4, 5] = key ^ 1  # the same level after scaling 16 bits to 8
    alpha = np.where((samples == key).all(axis=2), 0, 255)
    chunk = png_chunk(b"tRNS", struct.pack(f">{channels}H", *key.tolist()))

    pixels = pixels_of(png_of(samples, chunk, depth=depth, kind=kind))

    assert np.array_equal(pixels[..., -1], alpha)
    assert (pixels[alpha == 0] == 0).all()


@pytest.mark.parametrize("depth", [2, 4, 8])
def test_palettes_keep_their_colours_and_their_transparency(depth: int) -> None:
    indexes = random_samples(1, depth) % 16
    alphas = bytes((255, 128, 7, 0))
    chunks = [png_chunk(b"PLTE", PALETTE[: 3 * min(16, 2**depth)]), png_chunk(b"tRNS", alphas)]
    colours = np.array([*struct.iter_unpack("3B", PALETTE)])
    expected = np.concatenate([colours, [[each] for each in [*alphas, *[255] * 12]]], axis=1)
    expected[TRANSPARENT_ENTRY] = 0

    assert np.array_equal(pixels_of(png_of(indexes, *chunks, depth=depth, kind=3)), expected[indexes[..., 0]])
    assert np.array_equal(pixels_of(png_of(indexes, chunks[0], depth=depth, kind=3)), colours[indexes[..., 0]])


def test_an_index_past_the_palette_is_black() -> None:
    samples = np.full((8, 8, 1), 9)

    assert not pixels_of(png_of(samples, png_chunk(b"PLTE", PALETTE[:6]), kind=3)).any()


@pytest.mark.parametrize(("mode", "image_format"), [("LA", "PNG"), ("RGBA", "PNG"), ("RGBA", "WEBP")])
def test_colours_that_nobody_sees_are_gone(mode: str, image_format: str) -> None:
    hidden = noise(mode="RGB").convert(mode)
    hidden.putalpha(noise(mode="L", seed=1).point(lambda level: 0 if level < 128 else level))
    options = {"lossless": True, "exact": True} if image_format == "WEBP" else {}

    pixels = pixels_of(encoded(hidden, image_format, **options))

    alpha = np.asarray(hidden.getchannel("A"))
    assert (pixels[alpha == 0] == 0).all()
    assert np.array_equal(pixels[alpha > 0], np.asarray(hidden)[alpha > 0])


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_pictures_stand_upright_and_have_the_size_that_is_seen(orientation: int, image_format: str) -> None:
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(image_format, {})
    large = np.kron(CORNERS, np.ones((8, 8, 1), np.uint8))
    data = encoded(Image.fromarray(large), image_format, exif=exif_with(orientation=orientation), **options)

    picture = decode(data, OUTPUT_LIMITS)

    shown = np.asarray(picture.image, int)[4::8, 4::8]
    assert np.abs(shown - UPRIGHT[orientation]).max() <= 3
    assert (picture.facts.width, picture.facts.height) == picture.image.size
    assert inspect(data, Limits()) == picture.facts


@pytest.mark.parametrize("value", [0, 9, 300])
def test_an_impossible_orientation_turns_nothing(value: int) -> None:
    data = encoded(noise(), "JPEG", exif=exif_with(orientation=value))

    assert decoded(data).size == (32, 24)


@settings(max_examples=examples(60))
@given(exif=st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"II*\0\x08\0\0\0" + tail))
def test_damaged_exif_data_says_nothing(exif: bytes) -> None:
    vp8l = image_bytes("WEBP", lossless=True)[20:]
    data = webp_file((b"VP8X", b"\x08\0\0\0\x1f\0\0\x17\0\0"), (b"VP8L", vp8l), (b"EXIF", exif))

    assert sorted(decode(data, OUTPUT_LIMITS).image.size) == [24, 32]


@pytest.mark.parametrize("data", [b"", b"not an image", b"%PDF-1.7", encoded(solid("RGB"), "TIFF"), image_bytes("GIF")])
def test_other_files_are_refused(data: bytes) -> None:
    assert refusal(data) == "media_type_unsupported"


@given(cut=st.integers(30, 100))
def test_a_truncated_image_is_refused(cut: int) -> None:
    assert refusal(image_bytes(width=8, height=8)[:-cut]) == "media_undecodable"


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "I;16"])
def test_pixels_that_end_before_the_last_row_are_refused(mode: str) -> None:
    tall, short = encoded(solid(mode, (64, 64))), encoded(solid(mode, (64, 63)))

    assert inspect(tall, Limits()).height == 64
    with pytest.raises(PictureRefused, match="fewer pixels"):
        inspect(tall[:33] + short[33:], Limits())


def test_size_is_limited_before_decoding() -> None:
    with pytest.raises(PictureRefused) as raised:
        decode(encoded(solid("L", (100, 100))), Limits(max_pixels=9_999))

    assert raised.value.error_code == "image_too_large"
    assert raised.value.details["found"] == 10_000


def test_a_decompression_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)

    assert refusal(encoded(solid("L", (100, 100)))) == "image_too_large"


class Stop(Exception):
    """What a pulse raises in a test."""


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_the_pulse_raises_ends_the_work(kind: str) -> None:
    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        decode(image_bytes(kind), OUTPUT_LIMITS, pulse=stop)


def test_the_pulse_is_felt_all_the_way() -> None:
    pulses: list[None] = []
    deep = png_of(np.random.default_rng(0).integers(0, 65536, (300, 4000, 3)), depth=16)

    decode(deep, OUTPUT_LIMITS, pulse=lambda: pulses.append(None))

    assert len(pulses) > len(deep) // 65_536


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_same_bytes_give_the_same_pixels_and_nothing_else(kind: str) -> None:
    data = encoded(noise(), kind, exif=exif_with(artist="Ada", orientation=6), icc_profile=rgb_profile())
    first, second = decoded(data), decoded(data)

    assert first.tobytes() == second.tobytes()
    assert (first.info, dict(first.getexif())) == ({}, {})


def test_a_profile_that_is_srgb_leaves_the_levels_alone() -> None:
    samples = random_samples(3, 8)

    assert np.array_equal(pixels_of(png_of(samples, iccp(rgb_profile()))), samples)


def test_a_turned_picture_without_a_turn_in_its_copy() -> None:
    out = io.BytesIO()
    decoded(encoded(noise(), "JPEG", exif=exif_with(orientation=6))).save(out, "PNG")

    assert ORIENTATION not in Image.open(io.BytesIO(out.getvalue())).getexif()
