"""Agreement between looks: whether a detector finds the same when it looks again, closer or a little differently.

A detector that takes a texture for skin does so at one scale and position, and loses it when the view is flipped, moved
or scaled. A person whom it finds small it finds the better the closer it looks. Of `benchmarks/moderation.py`'s
harmless pictures some score up to 0.83 at first look, and none 0.6 by the median of seven looks.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference_workers.moderators.views import Pixels, Window

LOOK_AGAIN_FROM: Final = 0.3
"""What is found with less confidence is not looked at again: no rule draws its line so low."""
MOST_LOOKED_AT_AGAIN: Final = 48
"""Places per picture. It bounds the work on a picture that is made to look unsafe everywhere."""
SAME_PLACE: Final = 0.45
"""Boxes that share this part of what they cover together are one place (intersection over union)."""
SMALL: Final = 0.4
"""Share of the view's edge. What is smaller is looked at closer, what is larger from further away."""
CLOSEST: Final = 2.0
"""Times closer than the first look, at most."""
FILLED: Final = 0.75
"""Share of the view's edge that a place may take when it is looked at closer."""
CLOSER_LOOKS: Final = 6
DETAIL_PARTS: Final = 40
"""What is larger than a fortieth of a view's edge is no detail."""
DETAIL_BLOCK: Final = 16
"""Pixels: detail anywhere counts, so it is measured in blocks of this edge."""
LEAST_DETAIL: Final = 0.03
"""Share of a view's range of levels, as root mean square of a block. A colour wheel has 0.02, a photograph of a face
0.26, and 0.045 when it is blurred until its features are gone; less contrast changes none of them."""


NOWHERE: Final = Window(0, 0, 1, 1, 1)
"""The window of a find until it is known."""


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
    """A place in a view that looks unsafe: which label, how sure, and its box as shares of the canvas.

    The box is given by its centre, width and height. `number` is the look at the window's transparency.
    """

    label: int
    confidence: float
    box: tuple[float, float, float, float]
    window: Window = NOWHERE
    number: int = 0

    @property
    def small(self) -> bool:
        """Whether looking closer can tell more."""
        return max(self.box[2:]) <= SMALL

    def closer_windows(self) -> list[Window]:
        """Return windows around the place, each closer than the one before."""
        most = min(CLOSEST, FILLED / max(*self.box[2:], FILLED / CLOSEST))
        return [
            _closer(self.window, self.box, 1 + (most - 1) * step / CLOSER_LOOKS) for step in range(1, CLOSER_LOOKS + 1)
        ]


def finds_in(boxes: NDArray[np.float32], confidences: NDArray[np.float32], unsafe: list[int], edge: int) -> list[Find]:
    """Return the places that look unsafe, the worst first, each once.

    `boxes` is (4, anchors) in pixels of a canvas of `edge` pixels, `confidences` (labels, anchors).
    """
    best = confidences[unsafe].max(axis=0)
    labels = confidences[unsafe].argmax(axis=0)
    found: list[Find] = []
    for anchor in np.argsort(-best):
        if not best[anchor] >= LOOK_AGAIN_FROM:
            break
        centre_x, centre_y, width, height = (float(value) / edge for value in boxes[:, anchor])
        find = Find(unsafe[labels[anchor]], float(best[anchor]), (centre_x, centre_y, width, height))
        if all(_shared(find.box, other.box) < SAME_PLACE for other in found):
            found.append(find)
    return found


def has_detail(view: Pixels) -> bool:
    """Return whether a view shows more than gradients, in which no one could make out anything."""
    image = Image.fromarray(view)
    coarse = _scaled(image, DETAIL_PARTS / max(image.size)).resize(image.size, Image.Resampling.BICUBIC)
    lost = (view.astype(np.float32) - np.asarray(coarse, np.float32)) ** 2
    blocks = [
        lost[top : top + DETAIL_BLOCK, left : left + DETAIL_BLOCK].mean()
        for top in range(0, lost.shape[0], DETAIL_BLOCK)
        for left in range(0, lost.shape[1], DETAIL_BLOCK)
    ]
    low, high = np.percentile(view, (1, 99), axis=(0, 1))
    return float(np.sqrt(max(blocks))) > LEAST_DETAIL * float((high - low).max())


def other_looks(view: Pixels) -> list[Pixels]:
    """Return a view of at most 320 by 320 pixels mirrored, scaled and moved on a black canvas, none larger than it."""
    image = Image.fromarray(view)
    return [_varied(image, variant) for variant in _VARIANTS]


def mirrored(view: Pixels) -> Pixels:
    """Return a view as in a mirror."""
    return view[:, ::-1]


def _closer(window: Window, box: tuple[float, float, float, float], times: float) -> Window:
    """Return a part of a window around the centre of a box, without leaving the window."""
    longer = max(window.width, window.height)
    edge = max(1, round(longer / times))
    width, height = min(edge, window.width), min(edge, window.height)
    left = window.left + min(max(0, round(box[0] * longer - width / 2)), window.width - width)
    top = window.top + min(max(0, round(box[1] * longer - height / 2)), window.height - height)
    return Window(left, top, width, height, edge)


def _shared(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Return the intersection of two boxes over their union."""
    wide, high = (
        max(
            0.0,
            min(one[axis] + one[axis + 2] / 2, other[axis] + other[axis + 2] / 2)
            - max(one[axis] - one[axis + 2] / 2, other[axis] - other[axis + 2] / 2),
        )
        for axis in (0, 1)
    )
    both = one[2] * one[3] + other[2] * other[3] - wide * high
    return wide * high / both if both > 0 else 0.0


def _varied(image: Image.Image, variant: _Variant) -> Pixels:
    pixels = np.asarray(_scaled(image, variant.scale))
    canvas = np.zeros((variant.top + pixels.shape[0], variant.left + pixels.shape[1], 3), dtype=np.uint8)
    canvas[variant.top :, variant.left :] = pixels[:, ::-1] if variant.mirrored else pixels
    return canvas


def _scaled(image: Image.Image, scale: float) -> Image.Image:
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image if size == image.size else image.resize(size, Image.Resampling.BILINEAR)
