"""The structure of JPEG files (ITU-T T.81; JFIF is T.871; Adobe's segment is in T.872, 6.5.3)."""

import struct
from dataclasses import dataclass, field
from typing import Final

from governance.pictures.errors import ColoursUnusable, PictureDamaged, PictureTooComplex, PictureUnsupported
from governance.pictures.exif import PREFIX as EXIF_PREFIX
from governance.pictures.exif import UPRIGHT, Exif, read_exif
from governance.pictures.jpeg_segments import MARKERS, START, Segment, damaged, segments
from governance.pictures.left_out import behind
from governance.pictures.limits import Limits, PartCounter
from governance.pictures.types import ColourStatements, Metadata, Structure

ICC_PREFIX: Final = b"ICC_PROFILE\0"
"""Of an APP2 segment: then its number, from 1, the number of all, and its part of the profile (ICC.1:2022, B.4)."""
MAX_TABLE_BYTES: Final = 256 * 1024
"""Of all quantization and Huffman tables. Four of each have 2 KB; progressive files repeat some for each scan."""

_READABLE_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended sequential and progressive, with Huffman codes (T.81, table B.1)."""
_HIERARCHICAL: Final = frozenset({0xDE, 0xDF})
_NUMBER_OF_LINES: Final = 0xDC
_PREFIXES: Final = {
    (0xE1, EXIF_PREFIX): Metadata.EXIF,
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0"): Metadata.XMP,
    (0xE1, b"http://ns.adobe.com/xmp/extension/\0"): Metadata.XMP,
    (0xE2, ICC_PREFIX): Metadata.COLOUR_PROFILE,
    (0xEB, b"JP"): Metadata.CONTENT_CREDENTIALS,
    (0xED, b"Photoshop 3.0\0"): Metadata.IPTC,
}
_JFIF: Final = (0xE0, b"JFIF\0")
_ADOBE: Final = (0xEE, b"Adobe")


@dataclass(slots=True)
class _Found:
    frames: list[bytes] = field(default_factory=list)
    essence: list[bytes | memoryview] = field(default_factory=lambda: [START[:2]])
    scans: int = 0
    table_bytes: int = 0
    exif: Exif = field(default=Exif(UPRIGHT, ()))
    profile: list[bytes] = field(default_factory=list)
    metadata: set[Metadata] = field(default_factory=set)


def read_jpeg(data: bytes, limits: Limits) -> Structure:
    """Return the structure of a JPEG file. Raises what `structure.read_structure` raises."""
    parts = PartCounter(limits)
    found = _Found()
    view, end = memoryview(data), 0
    for segment in segments(data, 0, parts):
        _take(found, data, view, segment)
        end = segment.scan_end
    if len(found.frames) != 1 or not found.scans:
        raise PictureDamaged("The JPEG file does not hold exactly one image.")
    bits, height, width, channels = _frame(found.frames[0])
    limits.check_size(width, height)
    limits.check_scans(found.scans, width, height)
    found.essence.append(b"\xff\xd9")
    return Structure(
        format="JPEG",
        media_type="image/jpeg",
        width=width,
        height=height,
        bits=bits,
        channels=channels,
        essence=b"".join(found.essence),
        orientation=found.exif.orientation,
        colours=ColourStatements(profile=_profile(found.profile, limits)),
        left_out=behind(data, end, parts),
        metadata=tuple(sorted(found.metadata)),
    )


def _take(found: _Found, data: bytes, view: memoryview, segment: Segment) -> None:
    marker = segment.marker
    if marker in MARKERS.frames:
        _check_frame(marker)
        found.frames.append(data[segment.start : segment.end])
    elif marker in _HIERARCHICAL:
        raise PictureUnsupported("Hierarchical JPEG files are not accepted.")
    elif marker == _NUMBER_OF_LINES:
        raise PictureUnsupported("JPEG files that state their height behind the pixels are not accepted.")
    elif marker in {MARKERS.quantization, MARKERS.huffman}:
        found.table_bytes += segment.end - segment.start
        if found.table_bytes > MAX_TABLE_BYTES:
            raise PictureTooComplex(
                "The JPEG file has too many tables.",
                details={"limit": "max_table_bytes", "allowed": MAX_TABLE_BYTES, "found": found.table_bytes},
            )
    found.scans += marker == MARKERS.start_of_scan
    if marker in MARKERS.application or marker == MARKERS.comment:
        _take_application(found, data, segment)
    elif marker != MARKERS.end_of_image:
        _keep(found, view, segment)


def _take_application(found: _Found, data: bytes, segment: Segment) -> None:
    """Keep what decides how the samples are read, JFIF's and Adobe's segments; note the kind of everything else."""
    marker, start = segment.marker, segment.start
    for kept_marker, prefix in (_JFIF, _ADOBE):
        if marker == kept_marker and data.startswith(prefix, start):
            _keep(found, memoryview(data), segment)
            return
    if marker == MARKERS.comment:
        found.metadata.add(Metadata.TEXT)
        return
    known = (each for each in _PREFIXES if each[0] == marker and data.startswith(each[1], start))
    kind = next((_PREFIXES[each] for each in known), Metadata.OTHER)
    content = data[start : segment.end]
    if kind == Metadata.EXIF and Metadata.EXIF not in found.metadata:
        found.exif = read_exif(content)
        found.metadata |= set(found.exif.kinds)
    if kind == Metadata.COLOUR_PROFILE:
        if found.scans:
            raise ColoursUnusable("The JPEG file has its colour profile in the wrong place.")
        found.profile.append(content.removeprefix(ICC_PREFIX))
    found.metadata.add(kind)


def _keep(found: _Found, view: memoryview, segment: Segment) -> None:
    found.essence.append(b"\xff" + bytes((segment.marker,)))
    found.essence.append(view[segment.start - 2 : segment.scan_end])


def _check_frame(marker: int) -> None:
    if marker not in _READABLE_FRAMES:
        raise PictureUnsupported("JPEG files with lossless, hierarchical or arithmetic coding are not accepted.")


def _frame(header: bytes) -> tuple[int, int, int, int]:
    """Return precision, height, width and number of components (T.81, B.2.2)."""
    if len(header) < 6 or len(header) != 6 + 3 * header[5]:
        raise PictureDamaged("The JPEG frame header is damaged.")
    bits, height, width, channels = struct.unpack_from(">BHHB", header)
    if bits != 8:
        raise PictureUnsupported(f"JPEG files with {bits} bits a sample are not accepted; save it with 8.")
    if channels not in {1, 3, 4}:
        raise PictureUnsupported(f"JPEG files with {channels} components are not accepted.")
    if not width or not height:
        raise damaged()
    return bits, height, width, channels


def _profile(pieces: list[bytes], limits: Limits) -> bytes | None:
    """Return the profile that its pieces make in the order of their numbers; None for no pieces."""
    if not pieces:
        return None
    in_order = sorted(pieces, key=lambda piece: piece[:1])
    numbers = [piece[0] for piece in in_order if len(piece) >= 2]
    if numbers != list(range(1, len(pieces) + 1)) or {piece[1] for piece in in_order} != {len(pieces)}:
        raise ColoursUnusable("The colour profile of the JPEG file is not complete.")
    limits.check_metadata(sum(map(len, in_order)), "The colour profile")
    return b"".join(piece[2:] for piece in in_order)
