"""Colours, held against an independent engine: Pillow's ImageCms for profiles, the standards' formulas for the rest."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from governance.pictures.decoding import decode, inspect
from governance.pictures.encoding import encode_png
from governance.pictures.errors import ColoursUnusable
from governance.pictures.limits import OUTPUT_LIMITS, Limits
from tests.effort import examples
from tests.factories.images import decoded, encoded, noise
from tests.factories.pictures import (
    SRGB_COLORANTS,
    SRGB_CURVE,
    WIDE_COLORANTS,
    chrm,
    cicp,
    curve,
    gama,
    grey_profile,
    icc_segments,
    iccp,
    parametric,
    plain_ink,
    plain_light,
    png_chunk,
    png_of,
    rgb_profile,
    steep,
    table_of,
    table_profile,
    with_segments,
)

SRGB = ImageCms.createProfile("sRGB")
SRGB_CORNERS = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
P3_CORNERS = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
P3_COLORANTS = ((0.5151, 0.2412, -0.0011), (0.292, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
BT2020_COLORANTS = ((0.6735, 0.279, -0.0019), (0.1656, 0.6753, 0.0299), (0.1251, 0.0456, 0.7968))
"""Those of Apple's and of common profiles, as XYZ relative to D50."""
ROUNDING = 2
SAMPLES = np.random.default_rng(3).integers(0, 256, (9, 31, 3), dtype=np.uint8)
GREYS = np.arange(256, dtype=np.uint8).reshape(8, 32, 1)


def rendered(image: Image.Image, profile: bytes, intent: int = 0) -> np.ndarray:
    """Return what ImageCms makes of pixels with a profile: (h, w, 3) in sRGB."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    shown = ImageCms.profileToProfile(image, source, SRGB, renderingIntent=intent, outputMode="RGB")
    return np.asarray(shown).astype(int)


def seen(data: bytes) -> np.ndarray:
    """Return the canonical picture as (h, w, 3)."""
    return np.asarray(decoded(data).convert("RGB")).astype(int)


def refusal(data: bytes) -> str:
    """Return why colours are refused, at the upload already."""
    with pytest.raises(ColoursUnusable) as raised:
        inspect(data, Limits())
    with pytest.raises(ColoursUnusable):
        decode(data, OUTPUT_LIMITS)
    assert raised.value.error_code == "image_colours_unusable"
    return raised.value.message


def difference(first: np.ndarray, second: np.ndarray) -> int:
    return int(np.abs(first - second).max())


CURVES = st.one_of(
    st.floats(0.4, 4).map(lambda exponent: curve([round(exponent * 256)])),
    st.floats(0.4, 4).map(lambda exponent: table_of(lambda value: value**exponent)),
    st.tuples(st.floats(0, 0.9), st.floats(0.05, 1)).map(lambda range_: steep(range_[0], range_[0] + range_[1])),
    st.sampled_from([SRGB_CURVE, curve([]), parametric(0, 1.8), table_of(lambda value: 1 - value)]),
)
COLORANTS = st.sampled_from([SRGB_COLORANTS, WIDE_COLORANTS, (SRGB_COLORANTS[1], SRGB_COLORANTS[2], SRGB_COLORANTS[0])])
PROFILES = st.builds(
    lambda first, second, third, colorants, intent, kind: rgb_profile(
        (first, second, third), colorants, intent=intent, kind=kind
    ),
    CURVES,
    CURVES,
    CURVES,
    COLORANTS,
    st.integers(0, 2),
    st.sampled_from([b"mntr", b"scnr", b"spac"]),
)
TABLES = st.builds(
    lambda exponent, points, intent, kind: table_profile(
        plain_light, points=points, intent=intent, kind=kind, entry=lambda value: value**exponent
    ),
    st.floats(0.5, 2.5),
    st.integers(5, 17),
    st.integers(0, 2),
    st.sampled_from([b"prtr", b"scnr", b"mntr"]),
)


@settings(max_examples=examples(40))
@given(profile=PROFILES | TABLES, seed=st.integers(0, 1000))
def test_everybody_sees_what_an_independent_engine_shows(profile: bytes, seed: int) -> None:
    """The canonical picture is the rendering of the original, and so is an output, which says that it is sRGB."""
    original = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 40, 3), dtype=np.uint8))
    intent = ImageCms.getDefaultIntent(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    expected = rendered(original, profile, intent)
    data = encoded(original, icc_profile=profile)

    released = Image.open(io.BytesIO(encode_png(decoded(data))))

    assert difference(seen(data), expected) <= ROUNDING
    assert difference(np.asarray(released).astype(int), expected) <= ROUNDING
    assert (released.info, difference(seen(encode_png(decoded(data))), seen(data))) == ({"srgb": 0}, 0)


@pytest.mark.parametrize("share", [2, 12, 64])
def test_a_picture_hidden_in_near_white_is_seen(share: int) -> None:
    """The profile spreads the brightest 1/12 of the levels over everything: a viewer sees what the levels hide."""
    hidden = np.asarray(noise(40, 30)).astype(int)
    levels = (255 - hidden // share).astype(np.uint8)
    profile = rgb_profile((steep(1 - 1 / share, 1),) * 3)

    shown = seen(png_of(levels, iccp(profile)))

    assert difference(shown, rendered(Image.fromarray(levels), profile)) <= ROUNDING
    assert np.ptp(shown) > 100


def test_a_picture_hidden_in_the_lower_octets_of_sixteen_bits_is_seen() -> None:
    hidden = np.asarray(noise(40, 30, mode="L")).astype(np.uint16)[..., None].repeat(3, axis=2)
    levels = 0xFE00 + hidden
    profile = rgb_profile((steep(0xFE00 / 65535, 0xFF00 / 65535),) * 3)

    shown = seen(png_of(levels, iccp(profile), depth=16))

    assert np.ptp(shown) > 100
    assert np.unique(shown).size > 50


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_profiles_of_every_format_are_applied(kind: str) -> None:
    profile = rgb_profile((curve([563]),) * 3, WIDE_COLORANTS)
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(kind, {})
    data = encoded(Image.fromarray(SAMPLES), kind, icc_profile=profile, **options)

    expected = rendered(Image.open(io.BytesIO(data)).convert("RGB"), profile)

    assert difference(seen(data), expected) <= ROUNDING


def test_the_pieces_of_a_jpeg_files_profile_are_put_in_order() -> None:
    profile = table_profile(plain_light, points=25)
    pieces = icc_segments(profile)
    plain = encoded(Image.fromarray(SAMPLES), "JPEG")

    assert len(pieces) > 1
    assert difference(seen(with_segments(plain, *reversed(pieces))), seen(with_segments(plain, *pieces))) == 0
    assert "not complete" in refusal(with_segments(plain, *pieces[1:]))


@pytest.mark.parametrize(
    "profile",
    [
        grey_profile(curve([563])),
        grey_profile(curve([461]), connection=b"Lab "),
        grey_profile(table_of(lambda v: v**3)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_profiles_of_grey_are_applied(profile: bytes, kind: str) -> None:
    data = encoded(Image.fromarray(GREYS[..., 0]), kind, icc_profile=profile)

    expected = rendered(Image.open(io.BytesIO(data)), profile)

    assert decoded(data).mode == "L"
    assert difference(seen(data), expected) <= ROUNDING


def test_a_grey_profile_at_sixteen_bits_is_applied() -> None:
    profile = grey_profile(curve([461]))
    deep = png_of(GREYS.astype(np.uint16) * 257, iccp(profile), depth=16, kind=0)

    assert difference(seen(deep), rendered(Image.fromarray(GREYS[..., 0]), profile)) <= ROUNDING


def test_a_grey_jpeg_with_a_profile_of_rgb_is_shown_as_equal_parts_of_each() -> None:
    profile = rgb_profile((curve([256]),) * 3)
    data = encoded(Image.fromarray(GREYS[..., 0]), "JPEG", icc_profile=profile, quality=100)

    expected = rendered(Image.open(io.BytesIO(data)).convert("RGB"), profile)

    assert difference(seen(data), expected) <= ROUNDING


@pytest.mark.parametrize("mode", ["RGBA", "P", "16-bit"])
@pytest.mark.parametrize("profile", [rgb_profile((curve([563]), SRGB_CURVE, curve([256])), WIDE_COLORANTS)])
def test_every_kind_of_png_file_is_converted(mode: str, profile: bytes) -> None:
    image = Image.fromarray(SAMPLES)
    data = {
        "RGBA": lambda: png_of(
            np.concatenate([SAMPLES, GREYS[:1, :1].repeat(9, 0).repeat(31, 1) + 255], 2), iccp(profile), kind=6
        ),
        "P": lambda: encoded(image.quantize(64), icc_profile=profile),
        "16-bit": lambda: png_of(SAMPLES.astype(np.uint16) * 257, iccp(profile), depth=16),
    }[mode]()

    expected = rendered(Image.open(io.BytesIO(data)).convert("RGB"), profile)

    assert difference(seen(data), expected) <= ROUNDING


def test_inks_with_a_profile_are_converted_by_it() -> None:
    profile = table_profile(plain_ink, channels=4, points=7)
    data = encoded(Image.fromarray(SAMPLES).convert("CMYK"), "JPEG", icc_profile=profile)

    assert difference(seen(data), rendered(Image.open(io.BytesIO(data)), profile)) <= ROUNDING


def test_inks_without_a_profile_each_take_their_share_of_the_light() -> None:
    inks = np.random.default_rng(1).integers(0, 256, (16, 16, 4), dtype=np.uint8)
    data = encoded(Image.fromarray(inks, "CMYK"), "JPEG", quality=100)
    stored = np.asarray(Image.open(io.BytesIO(data))).astype(float)

    expected = np.rint((255 - stored[..., :3]) * (255 - stored[..., 3:]) / 255)

    assert difference(seen(data), expected) <= 1


# Statements of PNG without a profile


def by_formula(samples: np.ndarray, gamma: float) -> np.ndarray:
    """Return samples of a power curve and sRGB's primaries as sRGB levels."""
    light = (samples / samples.max(initial=1)) ** gamma
    return np.rint(255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("value", [0.3, 0.45455, 0.551, 1.0])
@pytest.mark.parametrize("with_corners", [False, True])
def test_gamma_is_undone(value: float, with_corners: bool) -> None:
    samples = GREYS.repeat(3, axis=2)
    chunks = [gama(value)] + [chrm(*SRGB_CORNERS)] * with_corners

    assert difference(seen(png_of(samples, *chunks)), by_formula(samples, 1 / value)) <= 1
    assert difference(seen(png_of(GREYS, *chunks, kind=0)), by_formula(samples, 1 / value)) <= 1


def test_gamma_is_undone_in_sixteen_bits() -> None:
    samples = np.arange(0, 65536, 257).reshape(16, 16, 1) // 16

    deep = seen(png_of(samples.repeat(3, axis=2), gama(1.0), depth=16))[..., :1]

    light = samples / 65535
    expected = 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(deep - expected).max() <= 0.6


@pytest.mark.parametrize(
    ("chunk", "profile"),
    [
        (
            cicp(12, 13),
            rgb_profile(colorants=P3_COLORANTS),
        ),
        (cicp(1, 8), rgb_profile((curve([]),) * 3)),
        (cicp(1, 4), rgb_profile((curve([563]),) * 3)),
        (
            cicp(9, 13),
            rgb_profile(colorants=BT2020_COLORANTS),
        ),
    ],
    ids=["p3", "linear", "gamma_2.2", "bt2020"],
)
def test_coded_colours_equal_a_profile_of_them(chunk: bytes, profile: bytes) -> None:
    assert difference(seen(png_of(SAMPLES, chunk)), rendered(Image.fromarray(SAMPLES), profile)) <= ROUNDING


def test_the_statement_that_counts_is_the_first_of_cicp_iccp_srgb_and_gama() -> None:
    linear, wide = iccp(rgb_profile((curve([]),) * 3)), cicp(12, 13)
    srgb, dark = png_chunk(b"sRGB", b"\0"), gama(0.9)

    everything = seen(png_of(SAMPLES, dark, srgb, linear, wide))

    assert difference(everything, seen(png_of(SAMPLES, wide))) == 0
    assert difference(seen(png_of(SAMPLES, dark, srgb, linear)), seen(png_of(SAMPLES, linear))) == 0
    assert difference(seen(png_of(SAMPLES, dark, srgb)), SAMPLES.astype(int)) == 0
    assert difference(seen(png_of(SAMPLES, cicp(1, 13), linear)), SAMPLES.astype(int)) == 0
    assert difference(seen(png_of(SAMPLES, dark)), SAMPLES.astype(int)) > 30


def test_primaries_without_a_gamma_have_the_curve_of_srgb() -> None:
    assert difference(seen(png_of(SAMPLES, chrm(*SRGB_CORNERS))), SAMPLES.astype(int)) == 0
    assert difference(seen(png_of(SAMPLES, chrm(*P3_CORNERS))), seen(png_of(SAMPLES, cicp(12, 13)))) == 0


@pytest.mark.parametrize(
    ("chunk", "reason"),
    [
        (cicp(9, 16), "PQ"),
        (cicp(9, 18), "HLG"),
        (cicp(1, 13, 0, 0), "full range"),
        (cicp(1, 13, 1, 1), "RGB"),
        (cicp(2, 2), "unsupported"),
        (cicp(1, 17), "unsupported"),
        (gama(0), "gAMA"),
        (gama(0.05), "gAMA"),
        (gama(11), "gAMA"),
        (chrm(*[0] * 8), "cHRM"),
        (chrm(0.3127, 0, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06), "cHRM"),
        (png_chunk(b"gAMA", b"\0\0"), "gAMA chunk of the PNG file is damaged"),
        (iccp(b"no profile at all"), "damaged"),
        (iccp(rgb_profile()[:300]), "damaged"),
        (png_chunk(b"iCCP", b"x\0\0no zlib"), "damaged"),
        (png_chunk(b"iCCP", b"no end of a name"), "damaged"),
        (iccp(rgb_profile(kind=b"link")), "device link"),
        (iccp(rgb_profile(kind=b"abst")), "abstract"),
        (iccp(rgb_profile(kind=b"nmcl")), "named colour"),
        (iccp(grey_profile(curve([]))), "for grey pixels, but the image has RGB"),
        (iccp(table_profile(plain_ink, channels=4, points=3)), "for CMYK pixels, but the image has RGB"),
        (iccp(grey_profile(curve([])).replace(b"GRAY", b"RGB ")), "incomplete"),
        (iccp(rgb_profile().replace(b"wtpt", b"D2B0")), "floating point"),
    ],
)
def test_what_cannot_be_shown_in_srgb_is_refused_with_its_reason(chunk: bytes, reason: str) -> None:
    assert reason in refusal(png_of(SAMPLES, chunk))


def test_a_profile_of_other_pixels_is_refused_in_every_format() -> None:
    inks = encoded(Image.fromarray(SAMPLES).convert("CMYK"), "JPEG", icc_profile=rgb_profile())
    grey = png_of(GREYS, iccp(rgb_profile()), kind=0)
    light = encoded(Image.fromarray(SAMPLES), "WEBP", icc_profile=table_profile(plain_ink, channels=4, points=3))

    assert "for RGB pixels, but the image has CMYK" in refusal(inks)
    assert "for RGB pixels, but the image has grey" in refusal(grey)
    assert "for CMYK pixels, but the image has RGB" in refusal(light)


def test_tables_are_refused_at_sixteen_bits() -> None:
    deep = SAMPLES.astype(np.uint16) * 257

    assert "tables" in refusal(png_of(deep, iccp(table_profile(plain_light)), depth=16))


@settings(max_examples=examples(60))
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 12))
def test_a_damaged_profile_is_refused_or_applied_but_never_crashes(seed: int, changes: int) -> None:
    chance = np.random.default_rng(seed)
    profile = bytearray(chance.choice([rgb_profile(), table_profile(plain_light, points=3)]).tobytes())
    profile[chance.integers(0, len(profile), changes)[0]] = chance.integers(256)

    data = encoded(Image.fromarray(SAMPLES), icc_profile=bytes(profile))

    assert outcome(data) in {"shown", "image_colours_unusable"}


@pytest.mark.parametrize("first", [parametric(4, -300, 0, 0, 0, 0, 0, 0), parametric(0, 3000), parametric(0, -3)])
def test_a_curve_that_computes_nothing_is_refused_or_applied_but_never_crashes(first: bytes) -> None:
    profile = iccp(rgb_profile((first, SRGB_CURVE, SRGB_CURVE)))
    deep = SAMPLES.astype(np.uint16) * 257

    assert outcome(png_of(deep, profile, depth=16)) in {"shown", "image_colours_unusable"}
    assert outcome(png_of(SAMPLES, profile)) in {"shown", "image_colours_unusable"}


def outcome(data: bytes) -> str:
    try:
        decode(data, OUTPUT_LIMITS)
    except ColoursUnusable as error:
        return error.error_code
    return "shown"
