"""The samples of a picture as its file stores them, out of Pillow's decoders.

Pillow drops the lower 8 of 16 bits. Here they are read as well, in a second pass, because a curve can spread them over
everything that is seen.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from governance.pictures.errors import PictureDamaged, PictureTooLarge, PictureUnsupported
from governance.pictures.types import Structure

Levels: TypeAlias = NDArray[np.uint8]
Samples: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
Pulse: TypeAlias = Callable[[], None]
"""Called many times a second while a picture is decoded; what it raises ends the work."""

STRIP_PIXELS: Final = 1_000_000

_GREY_ALPHA, _RGBA = 4, 6
_LOW_OCTETS: Final = {"RGB": "RGB;16L", "RGBA": "RGBA;16L"}
_EIGHT_BITS: Final = ((np.arange(65_536, dtype=np.uint32) * 255 + 32_767) // 65_535).astype(np.uint8)
_HEADER_END: Final = 33
"""In a PNG file: the signature, and IHDR with its length, type and checksum."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Rows from `top` on: (h, w, channels) samples of colours, and (h, w) alpha in 8 bits where there is any."""

    top: int
    colours: Samples
    alpha: Levels | None


def load(structure: Structure, pulse: Pulse) -> Image.Image:
    """Return the decoded pixels as Pillow gives them. Raises what `decoding.decode` raises for damaged pixels."""
    return _loaded(structure, structure.essence, pulse)


def strips(structure: Structure, image: Image.Image, pulse: Pulse) -> Iterator[Strip]:
    """Yield the samples of a loaded picture from top to bottom, with transparent colours of PNG's tRNS as alpha."""
    octets = _Octets(structure, image, pulse)
    for top in range(0, structure.height, rows := max(1, STRIP_PIXELS // structure.width)):
        pulse()
        samples = octets.between(top, min(top + rows, structure.height))
        yield _strip(structure, top, samples)


def _strip(structure: Structure, top: int, samples: Samples) -> Strip:
    if structure.format == "JPEG":
        return Strip(top, samples, None)
    channels = samples.shape[2]
    if channels in {2, 4}:
        return Strip(top, samples[..., :-1], eight_bits(samples[..., -1]))
    if structure.transparency is None or structure.palette is not None:
        return Strip(top, samples, None)
    return Strip(top, samples, np.where((samples == _key(structure)).all(axis=2), 0, 255).astype(np.uint8))


def _key(structure: Structure) -> NDArray[np.uint16]:
    """Return tRNS's colour in the scale of the samples; only its lower bits count (PNG third edition, 11.3.1.1)."""
    most = 2**structure.bits - 1
    values = np.frombuffer(structure.transparency or b"", ">u2").astype(np.uint16) & np.uint16(most)
    return (values * (255 // most)).astype(np.uint16) if structure.bits < 8 else values


def eight_bits(values: Samples) -> Levels:
    """Return samples of 16 bits scaled to 8, v · 255 / 65535 rounded; samples of 8 bits as they are."""
    if values.dtype == np.uint8:
        return cast(Levels, values)
    rounded: Levels = _EIGHT_BITS[values]
    return rounded


class _Octets:
    """The whole samples of a picture: of 16 bits, the upper and the lower octets are in two decoded pictures."""

    def __init__(self, structure: Structure, image: Image.Image, pulse: Pulse) -> None:
        self._image = image
        self._low: Image.Image | None = None
        self._pairs = False
        if structure.bits > 8 and image.mode in _LOW_OCTETS:
            if structure.channels == 2:
                self._image = _loaded(structure, _as_rgba(structure.essence), pulse)
                self._pairs = True
            else:
                self._low = _loaded(structure, structure.essence, pulse, raw_mode=_LOW_OCTETS[image.mode])

    def between(self, top: int, bottom: int) -> Samples:
        upper = _rows(self._image, top, bottom)
        if self._pairs:
            whole: NDArray[np.uint16] = np.ascontiguousarray(upper).view(">u2").astype(np.uint16)
            return whole
        if self._low is not None:
            return upper.astype(np.uint16) * np.uint16(256) + _rows(self._low, top, bottom)
        return upper


def _rows(image: Image.Image, top: int, bottom: int) -> NDArray[np.uint8]:
    rows: NDArray[np.uint8] = np.asarray(image.crop((0, top, image.width, bottom)))
    if rows.dtype == np.bool_:
        rows = rows.astype(np.uint8) * 255
    return rows if rows.ndim == 3 else rows[..., None]


def _as_rgba(essence: bytes) -> bytes:
    """Return a PNG file of 16-bit grey and alpha as one of 8-bit RGBA: the octets of its pixels, two for each."""
    header = bytearray(essence[12:29])
    header[12:14] = bytes((8, _RGBA))
    return b"".join([essence[:12], header, struct.pack(">I", zlib.crc32(header)), memoryview(essence)[_HEADER_END:]])


class _Pulsing(io.BytesIO):
    """Bytes whose reader shows signs of life: decoders read them piece by piece."""

    def __init__(self, data: bytes, pulse: Pulse) -> None:
        super().__init__(data)
        self._pulse = pulse

    def read(self, size: int | None = -1, /) -> bytes:
        self._pulse()
        return super().read(size)


class _Interrupted(Exception):
    """Carries what a pulse raised past everything that takes an error for a damaged picture."""


def _loaded(structure: Structure, data: bytes, pulse: Pulse, *, raw_mode: str | None = None) -> Image.Image:
    def carried() -> None:
        try:
            pulse()
        except Exception as error:
            raise _Interrupted from error

    try:
        image = Image.open(_Pulsing(data, carried), formats=[structure.format])
        _check_surprises(image, structure)
        if raw_mode is not None:
            image.tile = [tile._replace(args=raw_mode) for tile in image.tile]
        image.load()
    except _Interrupted as interrupted:
        raise interrupted.__cause__ or interrupted from None
    except (PictureDamaged, PictureUnsupported):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge("The image has more pixels than can be decoded.") from error
    except MemoryError as error:
        raise PictureTooLarge("The image needs more memory than there is.") from error
    except Exception as error:  # hostile bytes make decoders raise nearly anything; none of it is an image
        raise PictureDamaged("The image is damaged and cannot be decoded.") from error
    return image


def _check_surprises(image: Image.Image, structure: Structure) -> None:
    """Refuse an image that the decoder sees differently than its structure, or more than one picture."""
    if image.format != structure.format or getattr(image, "n_frames", 1) != 1:
        raise PictureUnsupported("Files with more than one picture are not accepted.")
    if image.size != (structure.width, structure.height):
        raise PictureDamaged("The image contradicts its own header.")
