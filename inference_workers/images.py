"""Decoding and encoding of images, the same for runtimes, moderators and obligations.

All of them must look at the same pixels: what a moderator saw is what a model computes on and what a viewer shows.
"""

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

from inference_workers.errors import RuntimeFault

READABLE_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MAX_PIXELS: Final = 20_000_000
"""Default limit of an input image, in pixels."""
MAX_OUTPUT_PIXELS: Final = 4 * MAX_PIXELS
"""Default limit of an output image: 80 million pixels, below the 89 million at which Pillow suspects an attack."""
PNG_MEDIA_TYPE: Final = "image/png"
PNG_COMPRESS_LEVEL: Final = 3
"""zlib level: the default 6 spends more time on a large photo than the network does, and saves a few per cent."""

_KEPT_MODES: Final = frozenset({"L", "LA", "RGB", "RGBA"})
_MODE_FOR: Final = {"1": "L", "CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB", "PA": "RGBA", "La": "LA"}
_DECODING_ERRORS: Final = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, struct.error)


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A PNG text chunk (PNG third edition, 11.3.3): tEXt, or iTXt in UTF-8 when `international`."""

    keyword: str
    text: str
    international: bool = False


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the first frame of an encoded image, upright, in mode L, LA, RGB or RGBA, 8 bits a channel.

    EXIF orientation is applied, palettes are resolved, 16-bit greyscale keeps its upper 8 bits. Of the metadata only
    the colour profile stays. Raises RuntimeFault `image_too_large` (before any pixel is decoded) or `image_unreadable`.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=READABLE_FORMATS)
        if image.width * image.height > max_pixels:
            raise _too_large(max_pixels)
        return _plain(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(max_pixels) from error
    except _DECODING_ERRORS as error:
        raise RuntimeFault("The image cannot be decoded.", code="image_unreadable") from error


def encode_png(image: Image.Image, *, text: Iterable[TextChunk] = ()) -> bytes:
    """Return `image` as PNG bytes with the given text chunks; the same input gives the same bytes."""
    chunks = PngImagePlugin.PngInfo()
    for chunk in text:
        if chunk.international:
            chunks.add_itxt(chunk.keyword, chunk.text)
        else:
            chunks.add_text(chunk.keyword, chunk.text)
    out = io.BytesIO()
    profile = image.info.get("icc_profile")
    image.save(out, format="PNG", pnginfo=chunks, icc_profile=profile, compress_level=PNG_COMPRESS_LEVEL)
    return out.getvalue()


def media_type_of(data: bytes) -> str:
    """Return the media type of an encoded image by its content. Raises RuntimeFault `image_unreadable`."""
    try:
        with Image.open(io.BytesIO(data), formats=READABLE_FORMATS) as image:
            return Image.MIME[str(image.format)]
    except _DECODING_ERRORS as error:
        raise RuntimeFault("The image cannot be decoded.", code="image_unreadable") from error


def pixels_of(data: bytes) -> int:
    """Return how many pixels an encoded image says it has. Raises RuntimeFault `image_unreadable`."""
    try:
        with Image.open(io.BytesIO(data), formats=READABLE_FORMATS) as image:
            return image.width * image.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(MAX_OUTPUT_PIXELS) from error
    except _DECODING_ERRORS as error:
        raise RuntimeFault("The image cannot be decoded.", code="image_unreadable") from error


def _too_large(max_pixels: int) -> RuntimeFault:
    return RuntimeFault(
        f"The image has more than {max_pixels} pixels.", code="image_too_large", details={"max_pixels": max_pixels}
    )


def _plain(image: Image.Image) -> Image.Image:
    plain = _to_kept_mode(image)
    profile = image.info.get("icc_profile")
    # A profile describes the channels it came with: after a conversion out of CMYK or LAB it would be wrong.
    same_colours = image.mode in _KEPT_MODES or image.mode == "P"
    plain.info = {"icc_profile": profile} if profile and same_colours else {}
    return plain


def _to_kept_mode(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data and image.mode in {"P", "RGB", "L"}:
        return image.convert("LA" if image.mode == "L" else "RGBA")
    if image.mode in _KEPT_MODES:
        image.load()
        return image.copy()
    return image.convert(_MODE_FOR.get(image.mode, "RGB"))
