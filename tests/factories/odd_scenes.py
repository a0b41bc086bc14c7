"""What odd files show, and the plainest files of it."""

import io
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from tests.factories.pictures import (
    with_segments,
)

Make: TypeAlias = Callable[[], bytes]
Named: TypeAlias = Iterator[tuple[str, Make]]
"""Files of one kind: the name of each, and how it is made."""


def scene(width: int = 96, height: int = 64, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Return a smooth picture with some noise, in any mode."""
    rows, columns = np.mgrid[0:height, 0:width]
    channels = [columns * 255 // max(1, width - 1), rows * 255 // max(1, height - 1), (rows + columns) % 256]
    noise = np.random.default_rng(seed).integers(0, 24, (height, width, 3))
    picture = Image.fromarray((np.stack(channels, axis=2) + noise).clip(0, 255).astype(np.uint8))
    if mode in {"LA", "RGBA"}:
        picture.putalpha(Image.fromarray((columns * 255 // max(1, width - 1)).astype(np.uint8)))
    return picture.convert(mode)


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as a file of Pillow's format `kind`."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def png(picture: Image.Image, **options: Any) -> bytes:
    """Return a picture as a PNG file."""
    return saved(picture, "PNG", **options)


def jpeg(picture: Image.Image, **options: Any) -> bytes:
    """Return a picture as a JPEG file."""
    return saved(picture, "JPEG", **options)


def webp(picture: Image.Image, **options: Any) -> bytes:
    """Return a picture as a WebP file."""
    return saved(picture, "WEBP", **options)


def samples(width: int, height: int, channels: int, *, bits: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**bits, (height, width, channels))


def with_chunks(chunks: bytes) -> bytes:
    """Return a PNG file with chunks behind its header."""
    file = png(scene())
    return file[:33] + chunks + file[33:]


def flooded_jpeg(segments: bytes) -> bytes:
    return with_segments(jpeg(scene()), segments)


def followed(file: bytes, more: bytes) -> bytes:
    return file + more
