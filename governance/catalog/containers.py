"""The outer structure of PNG, JPEG and WebP files, walked without decoding a pixel.

It detects the type from the content, reads the dimensions before a decoder allocates memory for them, and refuses what
a decoder would silently skip: animation, further pictures, missing ends, and data appended to the image.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from governance.catalog.errors import MediaRefused

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_SCANS: Final = 64
"""Scans of one JPEG. Encoders write about ten; each costs a decoder another pass over the whole image."""

_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA  # start of image, end of image, start of scan
_ZIP_TAIL_BYTES: Final = 65_535 + 22
_PDF_HEAD_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class Container:
    """What the structure of a file states about its image; `format` is Pillow's name for it, sizes are in pixels."""

    format: str
    media_type: str
    width: int
    height: int


def read_container(data: bytes) -> Container:
    """Walk a whole file and return what it holds.

    Raises MediaRefused `media_type_unsupported` for other types and for more than one picture, and `media_undecodable`
    for a damaged structure, a missing end, or a file that is also an archive or a document.
    """
    if data.startswith(PNG_SIGNATURE):
        container = Container("PNG", "image/png", *_png_size(data))
    elif data.startswith(b"\xff\xd8\xff"):
        container = Container("JPEG", "image/jpeg", *_jpeg_size(data))
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        container = Container("WEBP", "image/webp", *_webp_size(data))
    else:
        raise unsupported("Only PNG, JPEG and WebP images are accepted; the content is none of these.")
    _refuse_second_nature(data)
    return container


def unsupported(message: str) -> MediaRefused:
    """Return the error for an unsupported kind of file."""
    return MediaRefused(message, code="media_type_unsupported", details={"field": "file"})


def undecodable(message: str) -> MediaRefused:
    """Return the error for an image that is damaged, cut off, or more than an image."""
    return MediaRefused(message, code="media_undecodable", details={"field": "file"})


def _png_size(data: bytes) -> tuple[int, int]:
    """Return width and height (PNG third edition, 5.3 to 5.6: length, type, data, CRC; IHDR first, IEND last)."""
    kinds: list[bytes] = []
    for kind, start, end in _png_chunks(data):
        if kind == b"acTL":
            raise unsupported("Animated images are not accepted.")
        if (kind == b"IHDR") != (not kinds):
            raise undecodable("The PNG file does not begin with its header.")
        if kind == b"IEND" and (end != start or end + 4 != len(data)):
            raise undecodable("There is data after the end of the PNG image.")
        kinds.append(kind)
    if not kinds or kinds[-1] != b"IEND":
        raise undecodable("The PNG file is cut off.")
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the type of each chunk and the position of its data, until the first IEND or the end of the file."""
    at, kind, view = len(PNG_SIGNATURE), b"", memoryview(data)
    while at < len(data) and kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        start, end = at + 8, at + 8 + length
        if end + 4 > len(data):
            raise undecodable("The PNG file is cut off.")
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4]):
            raise undecodable("A checksum in the PNG file is wrong.")
        if kind == b"IHDR" and length != 13:
            raise undecodable("The PNG header is damaged.")
        yield kind, start, end
        at = end + 4


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height (ITU-T T.81, annex B: marker segments from SOI to EOI, one frame, some scans)."""
    sizes: list[tuple[int, int]] = []
    scans = 0
    for marker, start, end in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            if end - start < 6:
                raise undecodable("The JPEG frame header is damaged.")
            sizes.append((int.from_bytes(data[start + 3 : start + 5]), int.from_bytes(data[start + 1 : start + 3])))
        scans += marker == _SOS
        if scans > MAX_SCANS:
            raise undecodable(f"The JPEG file has more than {MAX_SCANS} scans.")
    if len(sizes) != 1 or not scans:
        raise undecodable("The JPEG file does not hold exactly one image.")
    return sizes[0]


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker of each segment and the position of its parameters; the file must end with EOI."""
    at = _next_marker(data, 2, within_scan=False)
    while True:
        found = _MARKER.match(data, at)
        if found is None:
            raise undecodable("The JPEG file is cut off or damaged.")
        marker, start = data[at + 1], at + 4
        if marker == _EOI:
            break
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == _SOI or end < start or end > len(data):
            raise undecodable("The JPEG file is cut off or damaged.")
        yield marker, start, end
        at = _next_marker(data, end, within_scan=marker == _SOS)
    if at + 2 != len(data):
        raise undecodable("There is data after the end of the JPEG image.")


def _next_marker(data: bytes, at: int, *, within_scan: bool) -> int:
    """Return where the next marker begins: after the entropy-coded data of a scan and any fill bytes."""
    if within_scan:
        found = _MARKER.search(data, at)
        return len(data) if found is None else found.start()
    while data[at : at + 2] == b"\xff\xff":
        at += 1
    return at


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return width and height (RFC 9649 sections 2.3 to 2.7: chunks that fill the file, exactly one image chunk)."""
    images: list[tuple[int, int]] = []
    canvases: list[tuple[int, int]] = []
    for kind, head in _webp_chunks(data):
        if kind in {b"ANIM", b"ANMF"}:
            raise unsupported("Animated images are not accepted.")
        if kind == b"VP8 ":
            images.append((_little(head[6:8]) & 0x3FFF, _little(head[8:10]) & 0x3FFF))
        elif kind == b"VP8L":
            images.append(((_little(head[1:5]) & 0x3FFF) + 1, (_little(head[1:5]) >> 14 & 0x3FFF) + 1))
        elif kind == b"VP8X":
            canvases.append((_little(head[4:7]) + 1, _little(head[7:10]) + 1))
    if len(images) != 1 or len(canvases) > 1 or (canvases and canvases != images):
        raise undecodable("The WebP file does not hold exactly one image.")
    return images[0]


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type of each chunk and the first ten bytes of its data."""
    if _little(data[4:8]) + 8 != len(data):
        raise undecodable("The WebP file is cut off, or there is data after its end.")
    at = 12
    while at < len(data):
        start = at + 8
        end = start + _little(data[at + 4 : start])
        if end > len(data):
            raise undecodable("The WebP file is damaged.")
        yield data[at : at + 4], data[start : min(end, start + 10)]
        at = end + end % 2


def _little(octets: bytes) -> int:
    return int.from_bytes(octets, "little")


def _refuse_second_nature(data: bytes) -> None:
    """Refuse a file that a ZIP or PDF reader would also open.

    ZIP readers search for the end record from the back (APPNOTE 4.3.16, at most a 65,535-byte comment after it); PDF
    readers accept a header anywhere in the first 1,024 bytes (ISO 32000-1, annex H.3, note 13).
    """
    is_zip = data.rfind(b"PK\x05\x06", max(0, len(data) - _ZIP_TAIL_BYTES)) >= 0 and b"PK\x01\x02" in data
    if is_zip or b"%PDF-" in data[:_PDF_HEAD_BYTES]:
        raise undecodable("The file is not only an image: it can be opened as an archive or a document too.")
