"""What files hold behind their picture: further pictures, gain maps, a video, or just bytes.

Phones append them, and viewers show the first picture only. Everything is walked once and nothing is decoded.
Sources: CIPA DC-007 (multi-picture format), Android's Motion Photo 1.0 and Ultra HDR 1.1, ISO 21496-1 (gain maps),
ISO/IEC 14496-12, 4.2 (boxes of a video).
"""

import re
from collections import Counter
from typing import Final

from governance.pictures.errors import PictureDamaged
from governance.pictures.jpeg_segments import MARKERS, START, segments
from governance.pictures.limits import PartCounter
from governance.pictures.types import LeftOut, LeftOutKind

_KNOWN: Final = re.compile(rb"\xff\xd8\xff|\0\0..ftyp", re.DOTALL)
_GAIN_MAP: Final = re.compile(rb"hdrgm|hdrgainmap|urn:iso:std:iso:ts:21496:-1", re.IGNORECASE)
_DOCUMENT: Final = b"%PDF-"
_BOX_HEAD: Final = 8
_BOX_TYPE: Final = re.compile(rb"[\x20-\x7e\xa9]{4}")


def second_nature() -> PictureDamaged:
    """Return the error for a file that readers of archives or documents would open too."""
    return PictureDamaged("The file is not only an image: it can be opened as an archive or a document too.")


def behind(data: bytes, end: int, parts: PartCounter) -> tuple[LeftOut, ...]:
    """Return what is in `data` from `end` on, one item for each kind. Raises PictureTooComplex, PictureDamaged."""
    sizes: Counter[LeftOutKind] = Counter()
    at = end
    while at < len(data):
        known = _KNOWN.search(data, at)
        start = known.start() if known else len(data)
        if start > at:
            if data.find(_DOCUMENT, at, start) >= 0:
                raise second_nature()
            sizes[LeftOutKind.TRAILING_BYTES] += start - at
        if known:
            kind, at = _one(data, start, parts)
            sizes[kind] += at - start
        else:
            at = start
    return tuple(LeftOut(kind, sizes[kind]) for kind in LeftOutKind if sizes[kind])


def _one(data: bytes, start: int, parts: PartCounter) -> tuple[LeftOutKind, int]:
    """Return what begins at `start`, and where it ends; what cannot be walked counts as bytes up to the end."""
    parts.count()
    if data.startswith(START, start):
        try:
            return _picture(data, start, parts)
        except PictureDamaged:
            return LeftOutKind.TRAILING_BYTES, len(data)
    return LeftOutKind.VIDEO, _end_of_video(data, start, parts)


def _picture(data: bytes, start: int, parts: PartCounter) -> tuple[LeftOutKind, int]:
    kind, end = LeftOutKind.FURTHER_PICTURE, start
    for segment in segments(data, start, parts):
        end = segment.end
        if segment.marker in MARKERS.application and _GAIN_MAP.search(data, segment.start, segment.end):
            kind = LeftOutKind.GAIN_MAP
    return kind, end


def _end_of_video(data: bytes, at: int, parts: PartCounter) -> int:
    """Return where the boxes of a video end: the first octets that are no box, or the end of the file."""
    while at + _BOX_HEAD <= len(data) and _BOX_TYPE.match(data, at + 4):
        parts.count()
        size = int.from_bytes(data[at : at + 4])
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size == 0 or at + size > len(data):
            return len(data)
        if size < _BOX_HEAD:
            break
        at += size
    return at
