"""Encoding of canonical pictures. What comes out says that it is sRGB, and says nothing else."""

import io
from collections.abc import Iterable
from typing import Final

from PIL import Image, PngImagePlugin
from typing_extensions import Buffer

from governance.pictures.samples import Pulse
from governance.pictures.types import TextChunk

PNG_MEDIA_TYPE: Final = "image/png"
PNG_COMPRESS_LEVEL: Final = 3
"""zlib level: the default 6 spends more time on a large photo than the network does, and saves a few per cent."""
WEBP_QUALITY: Final = 80
_PERCEPTUAL: Final = b"\0"


def _nothing() -> None:
    """A pulse for those who need none."""


class _Pulsing(io.BytesIO):
    """Bytes whose writer shows signs of life: encoders write them piece by piece."""

    def __init__(self, pulse: Pulse) -> None:
        super().__init__()
        self._pulse = pulse

    def write(self, data: Buffer, /) -> int:
        self._pulse()
        return super().write(data)


def encode_png(image: Image.Image, *, text: Iterable[TextChunk] = (), pulse: Pulse = _nothing) -> bytes:
    """Return a canonical picture as PNG bytes with an sRGB chunk (PNG third edition, 11.3.2.5) and the given texts.

    The same input gives the same bytes. Nothing of `image.info` is written. `pulse` is called for every piece that is
    written, and what it raises ends the work.
    """
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", _PERCEPTUAL)
    for chunk in text:
        if chunk.international:
            chunks.add_itxt(chunk.keyword, chunk.text)
        else:
            chunks.add_text(chunk.keyword, chunk.text)
    out = _Pulsing(pulse)
    _bare(image).save(out, format="PNG", pnginfo=chunks, compress_level=PNG_COMPRESS_LEVEL)
    return out.getvalue()


def encode_webp(image: Image.Image) -> bytes:
    """Return a canonical picture as lossy WebP bytes with its transparency; WebP without a profile is sRGB."""
    mode = "RGBA" if image.mode in {"LA", "RGBA"} else "RGB"
    out = io.BytesIO()
    _bare(image).convert(mode).save(out, format="WEBP", quality=WEBP_QUALITY)
    return out.getvalue()


def _bare(image: Image.Image) -> Image.Image:
    """Return the picture without the metadata that Pillow would write unasked."""
    if not image.info:
        return image
    bare = image.copy()
    bare.info = {}
    return bare
