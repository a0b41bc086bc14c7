"""From what a file says about its colours to sRGB.

Of several statements one counts: cICP before iCCP before sRGB before gAMA and cHRM (PNG third edition, 4.3). JPEG and
WebP have profiles only. A file that says nothing is sRGB, as in browsers; EXIF's remarks on colour spaces are no
statement, since browsers do not read them.
"""

from collections.abc import Callable
from typing import Final, TypeAlias, cast

import numpy as np

from governance.pictures import profiles
from governance.pictures.errors import ColoursUnusable
from governance.pictures.primaries import (
    CURVES,
    PRIMARIES,
    SRGB,
    SRGB_CURVE,
    XYZ_D50_TO_SRGB,
    Curve,
    Floats,
    encode_srgb,
    power,
    to_xyz_d50,
)
from governance.pictures.samples import Levels, Samples, eight_bits
from governance.pictures.types import ColourStatements, Structure

MAX_EXPONENT: Final = 10.0
"""Of a gAMA chunk, and its inverse. Pictures have 1 to 2.8; past this a few levels hold the whole picture."""
_IDENTITY, _FULL_RANGE = 0, 1
_HDR: Final = {16: "PQ", 18: "HLG"}
_LIGHT_STEPS: Final = 65_536
_ENCODED: Final = encode_srgb(np.linspace(0, 1, _LIGHT_STEPS))
_ROUNDING: Final = 2
"""Levels by which two computations of the same profile may differ."""


Conversion: TypeAlias = Callable[[Samples], Levels]
"""Takes (h, w, channels) samples of a picture to sRGB: (h, w, 1) for neutral greys, else (h, w, 3)."""


def conversion(structure: Structure) -> Conversion | None:
    """Return the conversion of a picture's colours, None where its samples are sRGB levels already.

    Raises ColoursUnusable, with the reason, where the file says what cannot be shown in sRGB.
    """
    said = structure.colours
    steps = 2 ** max(8, structure.bits)
    if said.cicp is not None:
        return _by_curves(*_coded(said.cicp), structure, steps)
    if said.profile is not None:
        return _by_profile(profiles.read_profile(said.profile), structure, steps)
    if not said.srgb and (said.gamma is not None or said.chromaticities is not None):
        return _by_curves(*_stated(said), structure, steps)
    if structure.channels == 4 and structure.format == "JPEG":
        return _Inks()
    return eight_bits if structure.bits > 8 else None


def _coded(cicp: tuple[int, int, int, int]) -> tuple[Curve, Floats]:
    primaries, transfer, matrix, full_range = cicp
    if transfer in _HDR:
        message = f"The image is high dynamic range ({_HDR[transfer]}), which every viewer shows in another way; "
        raise ColoursUnusable(message + "save it as sRGB.")
    if matrix != _IDENTITY or full_range != _FULL_RANGE:
        raise ColoursUnusable("The cICP chunk of the image is not for RGB samples of full range; save it as sRGB.")
    if primaries not in PRIMARIES or transfer not in CURVES:
        raise ColoursUnusable(
            f"The image has colours of an unsupported kind (cICP {primaries}, {transfer}); save it as sRGB."
        )
    return CURVES[transfer], to_xyz_d50(PRIMARIES[primaries])


def _stated(said: ColourStatements) -> tuple[Curve, Floats]:
    curve: Curve = SRGB_CURVE
    if said.gamma is not None:
        if not 1 / MAX_EXPONENT <= said.gamma <= MAX_EXPONENT:
            raise ColoursUnusable("The gAMA chunk of the image has an impossible value.")
        curve = power(1 / said.gamma)
    try:
        return curve, to_xyz_d50(said.chromaticities or SRGB)
    except ValueError as error:
        raise ColoursUnusable("The cHRM chunk of the image has impossible values.") from error


def _by_curves(curve: Curve, matrix: Floats, structure: Structure, steps: int) -> Conversion | None:
    if curve is SRGB_CURVE and (structure.channels <= 2 or np.allclose(matrix, to_xyz_d50(SRGB), atol=1e-4)):
        return eight_bits if steps > 256 else None
    light = _sampled(curve, steps)
    if _is_grey(structure):
        return _Table(encode_srgb(light)[:, None])
    return _Curves((light,) * 3, XYZ_D50_TO_SRGB @ matrix)


def _is_grey(structure: Structure) -> bool:
    return structure.channels <= 2 and structure.palette is None


def _by_profile(profile: profiles.Profile, structure: Structure, steps: int) -> Conversion | None:
    deep = steps > 256
    if _is_grey(structure) and not (structure.format == "JPEG" and profile.space == b"RGB "):
        made = profiles.transform(profile, "L", exact=deep)
        return _deep_grey(profile, made, steps) if deep else _grey(made)
    mode = "CMYK" if structure.format == "JPEG" and structure.channels == 4 else "RGB"
    made = profiles.transform(profile, mode, exact=deep)
    if deep:
        return _deep(profile, made, steps)
    if _is_grey(structure):
        return _Table(profiles.apply(made, np.repeat(_ramp(), 3, axis=2))[0])
    if mode == "RGB" and not profile.has_tables and _changes_nothing(made):
        return None
    return lambda samples: profiles.apply(made, cast(Levels, samples))


def _grey(made: profiles.Transform) -> Conversion:
    shown = profiles.apply(made, _ramp())[0]
    neutral = (np.ptp(shown, axis=1) <= 1).all()
    return _Table(shown[:, 1:2] if neutral else shown)


def _deep_grey(profile: profiles.Profile, made: profiles.Transform, steps: int) -> Conversion:
    computed = encode_srgb(_sampled(_without_tables(profile)[0], steps))
    _check_agreement(computed[:: (steps - 1) // 255], profiles.apply(made, _ramp())[0, :, 1])
    return _Table(computed[:, None])


def _deep(profile: profiles.Profile, made: profiles.Transform, steps: int) -> Conversion:
    """Return the conversion of 16-bit RGB, which Little CMS has to confirm where 8 bits can tell."""
    light = tuple(_sampled(curve, steps) for curve in _without_tables(profile))
    computed = _Curves(light, XYZ_D50_TO_SRGB @ profiles.colorants(profile))
    probes = _probes()
    _check_agreement(computed(probes.astype(np.uint16) * 257), profiles.apply(made, probes))
    return computed


def _without_tables(profile: profiles.Profile) -> tuple[Curve, ...]:
    if profile.has_tables:
        raise ColoursUnusable(
            "The colour profile has tables, which are applied to 8 bits a sample; the image has 16. Save it as sRGB."
        )
    return profiles.curves(profile)


def _check_agreement(computed: Levels, shown: Levels) -> None:
    if np.abs(computed.astype(int) - shown).max() > _ROUNDING:
        raise ColoursUnusable("The colour profile is read differently by different viewers; save the image as sRGB.")


def _changes_nothing(made: profiles.Transform) -> bool:
    """Return whether a profile of primaries and curves is sRGB, to within rounding: all its levels are compared."""
    probes = _probes()
    return bool(np.abs(profiles.apply(made, probes).astype(int) - probes).max() <= 1)


def _probes() -> Levels:
    """Return (1, n, 3) colours: every level of grey and of each channel, and 1,000 mixtures."""
    ramp = np.arange(256, dtype=np.uint8)
    alone = [np.where(np.arange(3) == channel, ramp[:, None], 0) for channel in range(3)]
    mixed = np.stack(np.meshgrid(*[np.linspace(0, 255, 10).astype(np.uint8)] * 3), axis=-1).reshape(-1, 3)
    return np.concatenate([np.repeat(ramp[:, None], 3, axis=1), *alone, mixed])[None].astype(np.uint8)


def _ramp() -> Levels:
    return np.arange(256, dtype=np.uint8)[None, :, None]


def _sampled(curve: Curve, steps: int) -> Floats:
    """Return the light of every level. What a hostile curve leaves undefined is dark; too much light is all of it."""
    with np.errstate(all="ignore"):
        light = curve(np.linspace(0, 1, steps))
    return np.nan_to_num(light, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)


class _Inks:
    """CMYK without a profile: each ink takes its share of the light, red = (1 - cyan) · (1 - black), as in browsers."""

    def __call__(self, samples: Samples, /) -> Levels:
        left = 255 - samples.astype(np.uint16)
        return ((left[..., :3] * left[..., 3:].astype(np.uint32) + 127) // 255).astype(np.uint8)


class _Table:
    """One channel, each level of which has its colour."""

    def __init__(self, shown: Levels) -> None:
        self._shown = shown

    def __call__(self, samples: Samples, /) -> Levels:
        shown: Levels = self._shown[samples[..., 0]]
        return shown


class _Curves:
    """Three curves to light, a matrix to linear sRGB, and sRGB's curve. Colours outside of sRGB are clipped."""

    def __init__(self, light: tuple[Floats, ...], matrix: Floats) -> None:
        self._light = tuple(each.astype(np.float32) for each in light)
        self._matrix = matrix.T.astype(np.float32) * (_LIGHT_STEPS - 1)

    def __call__(self, samples: Samples, /) -> Levels:
        light = np.stack([table[samples[..., channel]] for channel, table in enumerate(self._light)], axis=-1)
        steps = np.rint(light @ self._matrix).clip(0, _LIGHT_STEPS - 1).astype(np.uint16)
        levels: Levels = _ENCODED[steps]
        return levels
