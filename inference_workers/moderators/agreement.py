"""Agreement between looks: whether a detector finds the same when it looks again, a little differently.

A detector that takes a texture for skin does so at one scale and position, and loses it when the view is flipped, moved
or scaled by a few per cent. Of `benchmarks/moderation.py`'s harmless photographs some score up to 0.83 at first look,
and none above 0.55 by the median of seven looks; faces that it finds it also finds by that median.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference_workers.moderators.views import Pixels, Window

LOOK_AGAIN_FROM: Final = 0.3
"""Views whose worst label is below this keep their first score: no rule draws its line so low."""
MOST_LOOKED_AT_AGAIN: Final = 48
"""Views per picture. It bounds the work on a picture that is made to look unsafe everywhere."""


class _Variant(NamedTuple):
    scale: float
    mirrored: bool
    left: int
    top: int


_VARIANTS: Final = (
    _Variant(1.0, True, 0, 0),
    _Variant(0.92, False, 12, 12),
    _Variant(0.92, True, 20, 4),
    _Variant(0.85, False, 0, 0),
    _Variant(0.85, True, 20, 20),
    _Variant(0.7, False, 40, 40),
)


@dataclass
class Find:
    """What was found in one view: the confidence of each label. `number` is the look at the window's transparency."""

    window: Window
    number: int
    confidences: NDArray[np.float32]

    def worst(self, unsafe: Sequence[int]) -> float:
        """Return the highest confidence of the labels at these positions."""
        return float(self.confidences[list(unsafe)].max())

    def agree(self, others: Sequence[NDArray[np.float32]], unsafe: Sequence[int]) -> None:
        """Replace the confidence of those labels by the median over the first look and the others."""
        median = np.median([self.confidences, *others], axis=0)
        self.confidences = self.confidences.copy()
        self.confidences[list(unsafe)] = median[list(unsafe)]


def other_looks(view: Pixels) -> list[Pixels]:
    """Return a view of at most 320 by 320 pixels mirrored, scaled and moved on a black canvas, none larger than it."""
    image = Image.fromarray(view)
    return [_varied(image, variant) for variant in _VARIANTS]


def _varied(image: Image.Image, variant: _Variant) -> Pixels:
    size = (max(1, round(image.width * variant.scale)), max(1, round(image.height * variant.scale)))
    scaled = image if size == image.size else image.resize(size, Image.Resampling.BILINEAR)
    pixels = np.asarray(scaled)
    canvas = np.zeros((variant.top + size[1], variant.left + size[0], 3), dtype=np.uint8)
    canvas[variant.top :, variant.left :] = pixels[:, ::-1] if variant.mirrored else pixels
    return canvas
