"""Primaries, white points and transfer curves, and how they lead to sRGB.

Matrices take linear RGB to CIE XYZ relative to D50, the white of ICC profiles (ICC.1:2022, 6.3.4.3), by the linear
Bradford adaptation (annex E.3). Numbers of primaries and curves are those of ITU-T H.273 (2024), tables 2 and 3.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from governance.pictures.types import Chromaticities

Floats: TypeAlias = NDArray[np.float64]
Curve: TypeAlias = Callable[[Floats], Floats]
"""From encoded values in [0, 1] to light in [0, 1]."""

D50: Final = np.array([0.9642, 1.0, 0.8249])
_BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_C, _D65, _DCI, _E = (0.31, 0.316), (0.3127, 0.329), (0.314, 0.351), (1 / 3, 1 / 3)

SRGB: Final = Chromaticities(_D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
PRIMARIES: Final[Mapping[int, Chromaticities]] = {
    1: SRGB,
    4: Chromaticities(_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: Chromaticities(_D65, (0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: Chromaticities(_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: Chromaticities(_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    8: Chromaticities(_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: Chromaticities(_D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    10: Chromaticities(_E, (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
    11: Chromaticities(_DCI, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    12: Chromaticities(_D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    22: Chromaticities(_D65, (0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),
}


def power(exponent: float) -> Curve:
    """Return the curve `value ** exponent`."""
    return lambda values: np.power(values, exponent)


def _srgb(values: Floats) -> Floats:
    """Return the light of sRGB values (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _bt709(values: Floats) -> Floats:
    """Return the light of BT.709 values: the inverse of its opto-electronic curve, as browsers apply it."""
    alpha, beta = 1.09929682680944, 0.018053968510807
    return np.where(values < 4.5 * beta, values / 4.5, ((values + alpha - 1) / alpha) ** (1 / 0.45))


CURVES: Final[Mapping[int, Curve]] = {
    1: _bt709,
    4: power(2.2),
    5: power(2.8),
    6: _bt709,
    8: power(1.0),
    13: _srgb,
    14: _bt709,
    15: _bt709,
}
SRGB_CURVE: Final = _srgb


def to_xyz_d50(colours: Chromaticities) -> Floats:
    """Return the matrix from linear RGB of these primaries to XYZ relative to D50.

    Raises ValueError for chromaticities that span no colours.
    """
    corners = np.array([_xyz(each) for each in (colours.red, colours.green, colours.blue)]).T
    white = _xyz(colours.white)
    if white[1] <= 0 or abs(np.linalg.det(corners)) < 1e-6:
        raise ValueError("chromaticities that span no colours")
    white = white / white[1]
    matrix: Floats = _adaptation(white) @ (corners * np.linalg.solve(corners, white))
    return matrix


def _xyz(chromaticity: tuple[float, float]) -> Floats:
    x, y = chromaticity
    return np.array([x, y, 1 - x - y])


def _adaptation(white: Floats) -> Floats:
    cones = (_BRADFORD @ D50) / (_BRADFORD @ white)
    matrix: Floats = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD
    return matrix


XYZ_D50_TO_SRGB: Final = np.linalg.inv(to_xyz_d50(SRGB))
"""From XYZ relative to D50 to linear sRGB."""


def encode_srgb(light: Floats) -> NDArray[np.uint8]:
    """Return linear light in [0, 1] as sRGB levels from 0 to 255 (IEC 61966-2-1)."""
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(light, 1 / 2.4) - 0.055)
    levels: NDArray[np.uint8] = np.rint(encoded.clip(0, 1) * 255).astype(np.uint8)
    return levels
