"""The views of a picture for a detector with a small input: the whole picture, and windows of large pictures.

Scaled to the detector's input, a person in one corner of a large picture is a few pixels high and would pass unseen.
Views are made one at a time: beside the picture there are never more than three copies of it, whatever its size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels: TypeAlias = NDArray[np.uint8]

SMALLEST_WINDOW: Final = 640
"""Pixels. Closer looks than this find skin in any texture (a retina scan scored 0.6 at 320), so there are none."""
SMALLEST_THIN_WINDOW: Final = 64
"""Pixels. A picture many times as long as high is looked at in windows of twice its height, down to this edge."""
THIN: Final = 4
"""Times as long as high."""
OVERLAP: Final = 0.25
"""Least share of a window that its neighbour sees too, so that what lies on a seam is whole in one of them."""
MAX_VIEWS: Final = 600
"""Default budget of one picture: any within the default limits needs fewer, which a test holds."""
LOOKS_AT_TRANSPARENCY: Final = 3
"""A picture with transparency is looked at without it, on black and on white: any may be displayed."""
OPAQUE: Final = 255


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of a picture, in pixels, and the `edge` that every window of its closeness would have unclipped."""

    left: int
    top: int
    width: int
    height: int
    edge: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The corners as Pillow takes them: left, top, right, bottom."""
        return self.left, self.top, self.left + self.width, self.top + self.height


def windows(width: int, height: int) -> Iterator[Window]:
    """Yield the whole picture, then windows of half its longer edge, a quarter, and so on, by falling size.

    None is smaller than SMALLEST_WINDOW, unless the picture is thin, and those of one size cover the picture.
    """
    for edge in _edges(width, height):
        for top, left in product(_starts(height, edge), _starts(width, edge)):
            yield Window(left, top, min(edge, width - left), min(edge, height - top), edge)


def view_count(width: int, height: int, *, transparent: bool) -> int:
    """Return how many views a picture of that size has at most."""
    places = sum(len(_starts(height, edge)) * len(_starts(width, edge)) for edge in _edges(width, height))
    return places * LOOKS_AT_TRANSPARENCY if transparent else places


class Viewer:
    """Makes views of one picture. Large windows are taken from smaller copies, which average over all pixels."""

    def __init__(self, picture: Image.Image, *, edge: int) -> None:
        """Nothing is copied yet. `edge` is the longer edge of every view, in pixels."""
        self._edge = edge
        self._layers = [_Layer.of(picture)]

    def views(self, window: Window) -> list[Pixels]:
        """Return RGB pictures that together show all that a viewer can see of a window: one, or three.

        The longer edge of each is the edge that was asked for, however small the window.
        """
        halvings = 0
        while window.edge >> halvings >= 2 * SMALLEST_WINDOW:
            halvings += 1
        return self._layer(halvings).looks(window, 1 << halvings, self._edge)

    def _layer(self, halvings: int) -> "_Layer":
        while len(self._layers) <= halvings:
            self._layers.append(self._layers[-1].halved())
        return self._layers[halvings]


@dataclass(frozen=True, slots=True)
class _Layer:
    """A picture at one scale: its colours as they are stored, and premultiplied by its transparency if it has any."""

    colours: Image.Image
    premultiplied: Image.Image | None

    @classmethod
    def of(cls, picture: Image.Image) -> "_Layer":
        transparent = picture.mode in {"LA", "RGBA"}
        return cls(picture, picture if transparent else None)

    def halved(self) -> "_Layer":
        return _Layer(
            _opaque(self.colours).reduce(2),
            None if self.premultiplied is None else _premultiplied(self.premultiplied).reduce(2),
        )

    def looks(self, window: Window, scale: int, edge: int) -> list[Pixels]:
        """Return the looks at a window of the full picture, which has `scale` times the edges of this layer."""
        left, top, right, bottom = window.box
        box = (left // scale, top // scale, -(-right // scale), -(-bottom // scale))
        ratio = edge / max(window.width, window.height)
        size = (max(1, round(window.width * ratio)), max(1, round(window.height * ratio)))
        colours = _scaled(_opaque(self.colours.crop(box)), size)
        if self.premultiplied is None:
            return [colours]
        premultiplied = _scaled(_premultiplied(self.premultiplied.crop(box)), size)
        on_black, alpha = premultiplied[..., :3], premultiplied[..., 3:]
        if alpha.min() == OPAQUE:
            return [colours]
        return [colours, on_black, np.minimum(on_black.astype(np.uint16) + (OPAQUE - alpha), OPAQUE).astype(np.uint8)]


def _opaque(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")


def _premultiplied(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGBa" else image.convert("RGBA").convert("RGBa")


def _scaled(image: Image.Image, size: tuple[int, int]) -> Pixels:
    """The filter averages over all pixels, so that nothing can be hidden between the sampled ones."""
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def _edges(width: int, height: int) -> Iterator[int]:
    edge, shorter = max(width, height), min(width, height)
    yield edge
    while edge // 2 >= SMALLEST_WINDOW or (edge > THIN * shorter and edge // 2 >= SMALLEST_THIN_WINDOW):
        edge //= 2
        yield edge


def _starts(length: int, edge: int) -> list[int]:
    """Return evenly spread starts of windows of `edge` that cover `length` with at least OVERLAP between neighbours."""
    if length <= edge:
        return [0]
    steps = ceil((length - edge) / (edge * (1 - OVERLAP)))
    return [round(step * (length - edge) / steps) for step in range(steps + 1)]
