"""The marker segments of a JPEG file (ITU-T T.81, annex B), walked in time that grows with the file and no faster."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from governance.pictures.errors import PictureDamaged
from governance.pictures.limits import PartCounter

START: Final = b"\xff\xd8\xff"
"""Start of image, and the beginning of the first marker behind it."""


class MARKERS:
    """Second octets of markers (T.81, table B.1)."""

    start_of_image: Final = 0xD8
    end_of_image: Final = 0xD9
    start_of_scan: Final = 0xDA
    quantization: Final = 0xDB
    huffman: Final = 0xC4
    restart_interval: Final = 0xDD
    comment: Final = 0xFE
    application: Final = range(0xE0, 0xF0)
    frames: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
    with_parameters: Final = frozenset(range(0xC0, 0xFF)) - frozenset(range(0xD0, 0xDA)) - {0xC8}


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment. Its parameters are at `start` to `end`; a scan's entropy-coded data ends at `scan_end`."""

    marker: int
    start: int
    end: int
    scan_end: int


# Fill octets come before any marker (B.1.1.2). A possessive search: one run is never looked at twice.
_FILL: Final = re.compile(rb"\xff+")
# Decoders that are fed piece by piece begin such a run again with each piece; encoders write one octet or none.
_FILL_RUN: Final = b"\xff" * 1024
# The next marker behind entropy-coded data: neither a stuffed zero, nor a restart marker, nor a fill octet.
_BEHIND_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def segments(data: bytes, at: int, parts: PartCounter) -> Iterator[Segment]:
    """Yield the segments of the image that begins at `at`, the last being its end.

    Raises PictureDamaged where the image is cut off or no marker follows, and PictureTooComplex.
    """
    at += 2
    while True:
        parts.count()
        fill = _FILL.match(data, at)
        if fill is None or fill.end() >= len(data):
            raise damaged()
        marker, at = data[fill.end()], fill.end() + 1
        if marker == MARKERS.end_of_image:
            yield Segment(marker, at, at, at)
            return
        end = at + int.from_bytes(data[at : at + 2])
        if marker not in MARKERS.with_parameters or end < at + 2 or end > len(data):
            raise damaged()
        scan_end = _end_of_scan(data, end) if marker == MARKERS.start_of_scan else end
        yield Segment(marker, at + 2, end, scan_end)
        at = scan_end


def damaged() -> PictureDamaged:
    """Return the error for a structure that does not hold together."""
    return PictureDamaged("The JPEG file is cut off or damaged.")


def _end_of_scan(data: bytes, at: int) -> int:
    found = _BEHIND_SCAN.search(data, at)
    if found is None or data.find(_FILL_RUN, at, found.start()) >= 0:
        raise damaged()
    return found.start()
