"""Checking that an upload is an image, and only an image, by decoding it."""

import io
from typing import Final

from PIL import Image

from governance.catalog.containers import Container, read_container, undecodable, unsupported
from governance.catalog.errors import MediaRefused
from governance.catalog.types import ImageFacts

MIN_SIDE: Final = 8
"""Pixels. Smaller images are tracking pixels and broken exports, of no use to any model."""


def inspect_image(data: bytes, *, max_pixels: int) -> ImageFacts:
    """Return what a PNG, JPEG or WebP file holds, after decoding all of it.

    The type is found by content; names and headers of the upload are ignored. Dimensions are checked before any
    pixel is decoded. Raises MediaRefused with the codes listed there.
    """
    container = read_container(data)
    if container.width * container.height > max_pixels:
        raise _too_large(max_pixels)
    if min(container.width, container.height) < MIN_SIDE:
        message = f"The image must be at least {MIN_SIDE} pixels wide and high."
        raise MediaRefused(message, code="image_too_small", details={"field": "file"})
    _decode(data, container, max_pixels)
    return ImageFacts(container.media_type, container.width, container.height)


def _decode(data: bytes, container: Container, max_pixels: int) -> None:
    try:
        with Image.open(io.BytesIO(data), formats=[container.format]) as image:
            _refuse_surprises(image, container)
            image.load()
    except MediaRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(max_pixels) from error
    except Exception as error:  # hostile bytes make decoders raise nearly anything; none of it is an image
        raise undecodable("The image is damaged and cannot be decoded.") from error


def _refuse_surprises(image: Image.Image, container: Container) -> None:
    """Refuse an image that the decoder sees differently than its structure, or more than one picture."""
    if image.format != container.format or getattr(image, "n_frames", 1) != 1:
        raise unsupported("Files with more than one picture are not accepted.")
    if image.size != (container.width, container.height):
        raise undecodable("The image contradicts its own header.")


def _too_large(max_pixels: int) -> MediaRefused:
    message = f"The image may have at most {max_pixels} pixels."
    return MediaRefused(message, code="image_too_large", details={"field": "file", "max_pixels": max_pixels})
