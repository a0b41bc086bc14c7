"""Real photographs for the demo, the tests and the benchmarks, out of installed wheels; nothing is downloaded.

These are the hold-out photos: the committed super-resolution weights were never trained on them (a test holds this).
"""

import math
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from governance.kernel.errors import Unavailable
from governance.pictures.decoding import decode
from governance.pictures.encoding import encode_png
from governance.pictures.limits import OUTPUT_LIMITS

SCALE: Final = 2
PSNR_BORDER: Final = 4
"""Pixels left out on every side when pictures are compared, as is usual for super-resolution."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo inside an installed package, with its author and terms."""

    name: str
    package: str
    path: str
    credit: str


HOLD_OUT: Final = (
    Photo("astronaut", "skimage", "data/astronaut.png", "NASA, public domain"),
    Photo("chelsea", "skimage", "data/chelsea.png", "Stefan van der Walt, CC0"),
    Photo("rocket", "skimage", "data/rocket.jpg", "SpaceX, public domain"),
    Photo("china", "sklearn", "datasets/images/china.jpg", "danielbuechele, CC BY 2.0"),
    Photo("flower", "sklearn", "datasets/images/flower.jpg", "vultilion, CC BY 2.0"),
)


class SampleMissing(Unavailable):
    """A sample photo is not where its package should have put it."""

    code = "sample_missing"
    title = "A sample photo is missing"


def names() -> tuple[str, ...]:
    """Return the names of the hold-out photos."""
    return tuple(photo.name for photo in HOLD_OUT)


def packaged_file(package: str, path: str) -> bytes:
    """Return a data file of an installed package without importing it. Raises SampleMissing."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SampleMissing(f"The package {package} is not installed.")
    file = Path(spec.origin).parent / path
    if not file.is_file():
        raise SampleMissing(f"The package {package} has no file {path}.")
    return file.read_bytes()


def photo_png(name: str) -> bytes:
    """Return a hold-out photo at full size as PNG, cut to even width and height. Raises SampleMissing."""
    return encode_png(_photo(name))


def low_resolution_png(name: str) -> bytes:
    """Return a hold-out photo at half size as PNG: what the demo gives to the model."""
    return encode_png(halve(_photo(name)))


def large_png(edge: int = 1600, cells: int = 4) -> bytes:
    """Return a mosaic of the hold-out photos, `edge` pixels square, as PNG: a job that keeps a CPU busy for seconds."""
    size = edge // cells
    canvas = Image.new("RGB", (size * cells, size * cells))
    pieces = cycle(ImageOps.fit(_photo(name), (size, size), Image.Resampling.LANCZOS) for name in names())
    for index, piece in enumerate(islice(pieces, cells * cells)):
        canvas.paste(piece, (index % cells * size, index // cells * size))
    return encode_png(canvas)


def bicubic_png(image: bytes, scale: int = SCALE) -> bytes:
    """Return `image` enlarged by Pillow's bicubic filter, as PNG: the yardstick for a model."""
    source = decode(image, OUTPUT_LIMITS).image
    return encode_png(source.resize((source.width * scale, source.height * scale), Image.Resampling.BICUBIC))


def psnr(first: bytes, second: bytes, border: int = PSNR_BORDER) -> float:
    """Return the peak signal-to-noise ratio of two encoded images of one size, in dB over RGB.

    10·log10(255² / mean squared error), leaving out `border` pixels on every side; infinite for equal pictures.
    """
    inner = [_rgb(image)[border:-border, border:-border] for image in (first, second)]
    error = float(np.mean((inner[0] - inner[1]) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def halve(image: Image.Image) -> Image.Image:
    """Return `image` at half size by Pillow's bicubic filter: how training and test pairs are made."""
    return image.resize((image.width // SCALE, image.height // SCALE), Image.Resampling.BICUBIC)


def even(image: Image.Image) -> Image.Image:
    """Return `image` without its last column or row where its width or height is odd."""
    return image.crop((0, 0, image.width // SCALE * SCALE, image.height // SCALE * SCALE))


def _photo(name: str) -> Image.Image:
    photo = next((photo for photo in HOLD_OUT if photo.name == name), None)
    if photo is None:
        raise SampleMissing(f"There is no sample photo named {name}.")
    return even(decode(packaged_file(photo.package, photo.path), OUTPUT_LIMITS).image.convert("RGB"))


def _rgb(image: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(decode(image, OUTPUT_LIMITS).image.convert("RGB"), dtype=np.float64)
