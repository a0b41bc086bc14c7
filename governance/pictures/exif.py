"""The few values of EXIF metadata that matter here: orientation, and which kinds of statements there are.

Sources: EXIF 2.32 (CIPA DC-008), 4.5 and 4.6; TIFF 6.0, section 2. Damaged EXIF data says nothing, as in browsers.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from governance.pictures.types import Metadata

PREFIX: Final = b"Exif\0\0"
"""Comes before the TIFF data in a JPEG segment, and in some WebP files."""
UPRIGHT: Final = 1
MAX_ENTRIES: Final = 1000
"""Of one directory; cameras write about fifty."""

_ORIENTATION: Final = 0x0112
_GPS: Final = 0x8825
_AUTHOR: Final = frozenset({0x013B, 0x8298, 0x9C9D, 0xA430})  # Artist, Copyright, XPAuthor, CameraOwnerName
_DEVICE: Final = frozenset({0x010F, 0x0110, 0x927C, 0xA431, 0xA435})  # Make, Model, MakerNote, serial numbers
_EXIF_DIRECTORY: Final = 0x8769
_SHORT, _LONG = 3, 4


@dataclass(frozen=True, slots=True)
class Exif:
    """What was read: `orientation` from 1 to 8 as EXIF numbers them, and the kinds of metadata."""

    orientation: int
    kinds: tuple[Metadata, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    tag: int
    type: int
    count: int
    value: bytes


def read_exif(data: bytes) -> Exif:
    """Return what `data`, a TIFF structure with or without PREFIX, says."""
    data = data.removeprefix(PREFIX)
    kinds = {Metadata.EXIF}
    orientation = UPRIGHT
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is not None:
        first, following = _directory(data, order, _at(data, order, 4))
        inner = next((_long(each, order) for each in first if each.tag == _EXIF_DIRECTORY), None)
        entries = [*first, *(_directory(data, order, inner)[0] if inner else ())]
        orientation = next((_orientation(each, order) for each in first if each.tag == _ORIENTATION), UPRIGHT)
        tags = {each.tag for each in entries}
        kinds |= {Metadata.PLACE} if _GPS in tags else set()
        kinds |= {Metadata.AUTHOR} if tags & _AUTHOR else set()
        kinds |= {Metadata.DEVICE} if tags & _DEVICE else set()
        kinds |= {Metadata.THUMBNAIL} if following else set()
    return Exif(orientation, tuple(kinds))


def _directory(data: bytes, order: str, at: int) -> tuple[list[_Entry], int]:
    """Return the entries of the directory at `at`, and where the next directory is, 0 for nowhere."""
    if not 8 <= at <= len(data) - 2:
        return [], 0
    (count,) = struct.unpack_from(f"{order}H", data, at)
    entries = list(_entries(data, order, at + 2, min(count, MAX_ENTRIES)))
    return entries, _at(data, order, at + 2 + 12 * count)


def _entries(data: bytes, order: str, at: int, count: int) -> Iterator[_Entry]:
    for start in range(at, min(at + 12 * count, len(data) - 11), 12):
        yield _Entry(*struct.unpack_from(f"{order}HHI4s", data, start))


def _at(data: bytes, order: str, at: int) -> int:
    return int(struct.unpack_from(f"{order}I", data, at)[0]) if at + 4 <= len(data) else 0


def _long(entry: _Entry, order: str) -> int:
    return int(struct.unpack(f"{order}I", entry.value)[0])


def _orientation(entry: _Entry, order: str) -> int:
    if entry.type == _SHORT:
        (value,) = struct.unpack(f"{order}H", entry.value[:2])
    else:
        value = _long(entry, order) if entry.type == _LONG else UPRIGHT
    return int(value) if 1 <= value <= 8 else UPRIGHT
