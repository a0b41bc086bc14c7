"""Small encoded images for tests."""

import io
import random
from typing import Any

from PIL import Image

from governance.pictures.decoding import decode
from governance.pictures.limits import OUTPUT_LIMITS


def noise(width: int = 32, height: int = 24, *, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Return an image of random pixels; the same seed gives the same pixels."""
    octets = random.Random(seed).randbytes(width * height * 3)
    return Image.frombytes("RGB", (width, height), octets).convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return `image` as the bytes of a file of Pillow's format `kind`."""
    out = io.BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()


def image_bytes(kind: str = "PNG", *, width: int = 32, height: int = 24, seed: int = 0, **options: Any) -> bytes:
    """Return a random image as a file of the given format."""
    return encoded(noise(width, height, seed=seed), kind, **options)


def decoded(data: bytes) -> Image.Image:
    """Return the canonical picture of a file."""
    return decode(data, OUTPUT_LIMITS).image
