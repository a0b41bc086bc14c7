"""Cuts a picture into tiles, so that memory is bounded and a worker can send heartbeats between them."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of the low-resolution picture, in pixels."""

    top: int
    left: int
    height: int
    width: int


def tiles(*, height: int, width: int, edge: int) -> Iterator[Tile]:
    """Yield tiles of at most `edge` by `edge` pixels that cover the picture exactly once, row by row."""
    for top in range(0, height, edge):
        for left in range(0, width, edge):
            yield Tile(top, left, min(edge, height - top), min(edge, width - left))
