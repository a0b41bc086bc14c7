"""The views of a picture for a detector with a small input: the whole picture, and parts of large pictures.

Scaled to the detector's input, a person in one corner of a large picture is a few pixels high and would pass unseen.
"""

from collections.abc import Iterator
from itertools import product
from math import ceil
from typing import Final

from PIL import Image

SMALLEST_WINDOW: Final = 640
"""Pixels. Closer looks than this find skin in any texture (a retina scan scored 0.6 at 320), so there are none."""
OVERLAP: Final = 0.25
"""Least share of a window that its neighbour sees too, so that what lies on a seam is whole in one of them."""
BACKDROPS: Final = ("black", "white")


def views(image: Image.Image) -> list[Image.Image]:
    """Return RGB pictures that together show all that a viewer of `image` can see.

    The whole picture comes first, then windows of half its longer edge, a quarter, and so on, none smaller than
    SMALLEST_WINDOW. A picture with transparency is looked at without it, on black and on white: any may be displayed.
    """
    return [view for flat in _flattened(image) for edge in _window_edges(flat) for view in _windows(flat, edge)]


def _flattened(image: Image.Image) -> list[Image.Image]:
    if not image.mode.endswith("A"):
        return [image.convert("RGB")]
    coloured = image.convert("RGBA")
    on_backdrops = [
        Image.alpha_composite(Image.new("RGBA", image.size, backdrop), coloured).convert("RGB")
        for backdrop in BACKDROPS
    ]
    return [coloured.convert("RGB"), *on_backdrops]


def _window_edges(image: Image.Image) -> Iterator[int]:
    edge = max(image.size)
    yield edge
    while edge // 2 >= SMALLEST_WINDOW:
        edge //= 2
        yield edge


def _windows(image: Image.Image, edge: int) -> Iterator[Image.Image]:
    for top, left in product(_starts(image.height, edge), _starts(image.width, edge)):
        yield image.crop((left, top, min(left + edge, image.width), min(top + edge, image.height)))


def _starts(length: int, edge: int) -> list[int]:
    """Return evenly spread starts of windows of `edge` that cover `length` with at least OVERLAP between neighbours."""
    if length <= edge:
        return [0]
    steps = ceil((length - edge) / (edge * (1 - OVERLAP)))
    return [round(step * (length - edge) / steps) for step in range(steps + 1)]
