"""ICC profiles (ICC.1:2022; version 2 is ICC.1:2001-04), and their application by Little CMS.

Little CMS reads 8 bits a sample through Pillow. For samples of 16 bits, profiles of primaries and curves are computed
here: 8 bits of them could hide a picture between two levels.
"""

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from governance.pictures.errors import ColoursUnusable
from governance.pictures.primaries import Curve, Floats, power

Transform: TypeAlias = ImageCms.ImageCmsTransform

SPACE_OF_MODE: Final = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}
_CLASSES: Final = {b"mntr", b"scnr", b"prtr", b"spac"}
_CLASS_NAMES: Final = {b"link": "a device link", b"abst": "an abstract profile", b"nmcl": "a named colour profile"}
_SPACE_NAMES: Final = {b"GRAY": "grey", b"RGB ": "RGB", b"CMYK": "CMYK"}
_HEADER_BYTES: Final = 128
_MAX_TAGS: Final = 200
_EXACT: Final = 0x0100
"""cmsFLAGS_NOOPTIMIZE of Little CMS: five times slower."""
_FROM_TABLES: Final = frozenset({b"A2B0", b"A2B1", b"A2B2"})
_FLOATING: Final = frozenset({b"D2B0", b"D2B1", b"D2B2", b"D2B3"})
_PERCEPTUAL, _RELATIVE, _ABSOLUTE = 0, 1, 3

_SRGB: Final = ImageCms.createProfile("sRGB")


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile whose header and table of tags were read. `space` and the keys of `tags` are ICC signatures."""

    data: bytes
    space: bytes
    connection_space: bytes
    intent: int
    tags: dict[bytes, bytes]

    @property
    def has_tables(self) -> bool:
        """Whether colours come from a table of many dimensions, not from primaries and curves."""
        return bool(_FROM_TABLES & self.tags.keys())


def read_profile(data: bytes) -> Profile:
    """Return a profile that can describe pixels. Raises ColoursUnusable with the reason."""
    if len(data) < _HEADER_BYTES + 4 or data[36:40] != b"acsp":
        raise ColoursUnusable("The colour profile is damaged.")
    kind, space, connection_space = data[12:16], data[16:20], data[20:24]
    if kind not in _CLASSES:
        name = _CLASS_NAMES.get(kind, "of an unknown kind")
        raise ColoursUnusable(f"The colour profile is {name}, which does not describe pixels.")
    if connection_space not in {b"XYZ ", b"Lab "}:
        raise ColoursUnusable("The colour profile is damaged.")
    tags = _tags(data)
    if _FLOATING & tags.keys():
        raise ColoursUnusable("The colour profile computes with floating point elements, which few viewers read.")
    return Profile(data, space, connection_space, int.from_bytes(data[64:68]), tags)


def _tags(data: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", data, _HEADER_BYTES)
    if count > _MAX_TAGS or _HEADER_BYTES + 4 + 12 * count > len(data):
        raise ColoursUnusable("The colour profile is damaged.")
    tags = {}
    for number in range(count):
        signature, at, size = struct.unpack_from(">4sII", data, _HEADER_BYTES + 4 + 12 * number)
        if at + size > len(data) or signature in tags:
            raise ColoursUnusable("The colour profile is damaged.")
        tags[signature] = data[at : at + size]
    return tags


def transform(profile: Profile, mode: str, *, exact: bool = False) -> Transform:
    """Return the transform from pixels of `mode`, L, RGB or CMYK, to sRGB, by the profile's rendering intent.

    Tables are applied as viewers with Little CMS apply them, through 33 points in each direction, unless `exact`.
    Nobody shows a picture with the colour of its paper, so an absolute intent is taken as the relative one. Raises
    ColoursUnusable for a profile of other pixels and for one that Little CMS does not take.
    """
    if profile.space != SPACE_OF_MODE[mode]:
        theirs = _SPACE_NAMES.get(profile.space, "other")
        ours = _SPACE_NAMES[SPACE_OF_MODE[mode]]
        raise ColoursUnusable(f"The colour profile is for {theirs} pixels, but the image has {ours} pixels.")
    intent = _RELATIVE if profile.intent == _ABSOLUTE else profile.intent
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile.data))
        return ImageCms.buildTransform(
            source,
            _SRGB,
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent(intent if intent <= _ABSOLUTE else _PERCEPTUAL),
            flags=ImageCms.Flags(_EXACT) if exact else ImageCms.Flags.NONE,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise ColoursUnusable("The colour profile is damaged or incomplete; it cannot be applied.") from error


def apply(made: Transform, samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (h, w, channels) samples as (h, w, 3) in sRGB."""
    strip = Image.fromarray(samples.squeeze(axis=2) if samples.shape[2] == 1 else samples, _mode(samples.shape[2]))
    converted: NDArray[np.uint8] = np.asarray(ImageCms.applyTransform(strip, made))
    return converted


def _mode(channels: int) -> str:
    return {1: "L", 3: "RGB", 4: "CMYK"}[channels]


def curves(profile: Profile) -> tuple[Curve, ...]:
    """Return the curve of grey, or of red, green and blue, to light. Raises ColoursUnusable without them."""
    names = (b"kTRC",) if profile.space == b"GRAY" else (b"rTRC", b"gTRC", b"bTRC")
    found = tuple(_curve(profile.tags.get(name, b"")) for name in names)
    if profile.space == b"GRAY" and profile.connection_space == b"Lab ":
        return (lambda values: _light_of_lightness(found[0](values)),)
    return found


def colorants(profile: Profile) -> Floats:
    """Return the matrix from linear RGB to XYZ relative to D50. Raises ColoursUnusable without it."""
    columns = []
    for name in (b"rXYZ", b"gXYZ", b"bXYZ"):
        tag = profile.tags.get(name, b"")
        if tag[:4] != b"XYZ " or len(tag) < 20:
            raise ColoursUnusable("The colour profile is damaged or incomplete; it cannot be applied.")
        columns.append([value / 65536 for value in struct.unpack_from(">3i", tag, 8)])
    return np.array(columns).T


def _light_of_lightness(lightness: Floats) -> Floats:
    """Return the luminance of CIE L* / 100 (CIE 15:2018)."""
    scaled = (lightness * 100 + 16) / 116
    light: Floats = np.where(scaled > 6 / 29, scaled**3, 3 * (6 / 29) ** 2 * (scaled - 4 / 29))
    return light


def _curve(tag: bytes) -> Curve:
    kind = tag[:4]
    if kind == b"curv" and len(tag) >= 12:
        return _sampled(tag)
    if kind == b"para" and len(tag) >= 12:
        return _parametric(tag)
    raise ColoursUnusable("The colour profile is damaged or incomplete; it cannot be applied.")


def _sampled(tag: bytes) -> Curve:
    """Return a curveType (10.6): no value for the identity, one for an exponent, else a table."""
    (count,) = struct.unpack_from(">I", tag, 8)
    if len(tag) < 12 + 2 * count:
        raise ColoursUnusable("The colour profile is damaged.")
    if count == 0:
        return power(1.0)
    values = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
    if count == 1:
        return power(float(values[0]) / 256)
    places = np.linspace(0, 1, count)
    return lambda encoded: np.interp(encoded, places, values / 65535)


def _parametric(tag: bytes) -> Curve:
    """Return a parametricCurveType (10.18, table 68): five kinds of a power curve with a straight piece below `d`."""
    (kind,) = struct.unpack_from(">H", tag, 8)
    count = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}.get(kind, 0)
    if not count or len(tag) < 12 + 4 * count:
        raise ColoursUnusable("The colour profile is damaged.")
    found = [value / 65536 for value in struct.unpack_from(f">{count}i", tag, 12)]
    parameters: list[float] = [*found, *_REST[kind]]
    g, a, b, c, d, e, f = parameters
    if kind in {1, 2}:
        c, d, e, f = 0.0, (-b / a if a else 0.0), (found[3] if kind == 2 else 0.0), (found[3] if kind == 2 else 0.0)

    def curve(encoded: Floats) -> Floats:
        bent = np.power(np.maximum(a * encoded + b, 0), g) + e
        light: Floats = np.where(encoded >= d, bent, c * encoded + f).clip(0, 1)
        return light

    return curve


_REST: Final[Mapping[int, list[float]]] = {0: [1.0, *[0.0] * 5], 1: [0.0] * 4, 2: [0.0] * 3, 3: [0.0] * 2, 4: []}
