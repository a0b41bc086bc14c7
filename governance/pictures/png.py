"""The structure of PNG files (PNG third edition, W3C 2025): chunks, sizes, statements about colours."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from governance.pictures.errors import ColoursUnusable, PictureDamaged, PictureUnsupported
from governance.pictures.exif import UPRIGHT, Exif, read_exif
from governance.pictures.left_out import behind
from governance.pictures.limits import Limits, PartCounter
from governance.pictures.types import Chromaticities, ColourStatements, Metadata, Structure

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
PALETTE_TYPE: Final = 3

_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type (11.2.1, table 11)
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CRITICAL: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_ONCE: Final = frozenset({b"PLTE", b"tRNS", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf"})
_KEPT: Final = _ONCE
_COLOURS: Final = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
_ANIMATION: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
_ABOUT_PIXELS: Final = frozenset({b"tRNS", b"bKGD", b"hIST", b"pHYs", b"sBIT", b"sPLT", b"oFFs", b"mDCV", b"cLLI"})
_HARMLESS: Final = _CRITICAL | _COLOURS | _ABOUT_PIXELS
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_KIND_OF_KEYWORD: Final = {
    b"XML:com.adobe.xmp": Metadata.XMP,
    b"Raw profile type xmp": Metadata.XMP,
    b"Raw profile type exif": Metadata.EXIF,
    b"Raw profile type APP1": Metadata.EXIF,
    b"Raw profile type iptc": Metadata.IPTC,
    b"Author": Metadata.AUTHOR,
    b"Copyright": Metadata.AUTHOR,
}
_KEYWORD_BYTES: Final = 79
_FIXED_POINT: Final = 100_000
_INFLATED_AT_ONCE: Final = 1024 * 1024
_ADAM7: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Left, top, and the steps to the right and down of each pass (8.2)."""


@dataclass(slots=True)
class _Found:
    header: bytes = b""
    kept: dict[bytes, bytes] = field(default_factory=dict)
    pixels: list[tuple[int, int]] = field(default_factory=list)
    metadata: set[Metadata] = field(default_factory=set)
    end: int = 0


def read_png(data: bytes, limits: Limits) -> Structure:
    """Return the structure of a PNG file. Raises what `structure.read_structure` raises."""
    parts = PartCounter(limits)
    found = _walk(data, parts)
    width, height, depth, kind, *methods = struct.unpack(">IIBBBBB", found.header)
    if depth not in _DEPTHS.get(kind, ()) or methods[0] or methods[1] or methods[2] > 1:
        raise PictureDamaged("The PNG header is damaged.")
    palette, transparency = found.kept.get(b"PLTE"), found.kept.get(b"tRNS")
    _check_palette(kind, depth, palette, transparency)
    limits.check_size(width, height)
    exif = read_exif(found.kept[b"eXIf"]) if b"eXIf" in found.kept else Exif(UPRIGHT, ())
    return Structure(
        format="PNG",
        media_type="image/png",
        width=width,
        height=height,
        bits=depth,
        channels=_CHANNELS[kind],
        essence=_essence(data, found),
        orientation=exif.orientation,
        palette=palette if kind == PALETTE_TYPE else None,
        transparency=transparency,
        colours=_colours(found.kept, limits),
        left_out=behind(data, found.end, parts),
        metadata=tuple(sorted(found.metadata | set(exif.kinds))),
    )


def _walk(data: bytes, parts: PartCounter) -> _Found:
    """Check order and number of the chunks (5.6, table 7) and keep what matters of each."""
    found = _Found()
    last = b""
    for kind, start, end in _chunks(data, parts):
        if (kind == b"IHDR") != (not last):
            raise PictureDamaged("The PNG file does not begin with its header.")
        _check_place(kind, last, found)
        if kind == b"IHDR":
            found.header = data[start:end]
        elif kind == b"IDAT":
            found.pixels.append((start - 8, end + 4))
        elif kind == b"IEND":
            found.end = end + 4
        elif kind in _KEPT:
            found.kept[kind] = data[start:end]
        found.metadata |= _metadata(kind, data[start : min(end, start + _KEYWORD_BYTES + 1)])
        last = kind
    if last != b"IEND" or not found.pixels:
        raise PictureDamaged("The PNG file is cut off.")
    return found


def _chunks(data: bytes, parts: PartCounter) -> Iterator[tuple[bytes, int, int]]:
    """Yield the type of each chunk and the position of its data, until the first IEND or the end of the file."""
    at, kind, view = len(SIGNATURE), b"", memoryview(data)
    while at < len(data) and kind != b"IEND":
        parts.count()
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        start, end = at + 8, at + 8 + length
        if end + 4 > len(data):
            raise PictureDamaged("The PNG file is cut off.")
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4]):
            raise PictureDamaged("A checksum in the PNG file is wrong.")
        if (kind == b"IHDR" and length != 13) or (kind == b"IEND" and length):
            raise PictureDamaged("The PNG header is damaged.")
        yield kind, start, end
        at = end + 4


def _check_place(kind: bytes, last: bytes, found: _Found) -> None:
    """Refuse what decoders read differently: a second statement about the same, or one in the wrong place."""
    if kind in _ANIMATION:
        raise PictureUnsupported.animated()
    if not kind.isalpha() or (kind not in _CRITICAL and not kind[0] & 0x20):
        raise PictureDamaged("The PNG file has a chunk that no viewer knows and that none may skip.")
    if kind in _ONCE and kind in found.kept:
        raise PictureDamaged(f"The PNG file has more than one {kind.decode()} chunk.")
    after_pixels = bool(found.pixels)
    if after_pixels and kind in _COLOURS | {b"PLTE", b"tRNS"}:
        raise PictureDamaged(f"The PNG file has its {kind.decode()} chunk in the wrong place.")
    if (kind in _COLOURS and b"PLTE" in found.kept) or (kind == b"PLTE" and b"tRNS" in found.kept):
        raise PictureDamaged(f"The PNG file has its {kind.decode()} chunk in the wrong place.")
    if kind == b"IDAT" and after_pixels and last != b"IDAT":
        raise PictureDamaged("The pixels of the PNG file are not in one place.")


def _check_palette(kind: int, depth: int, palette: bytes | None, transparency: bytes | None) -> None:
    if kind == PALETTE_TYPE:
        entries = len(palette or b"") // 3
        right = palette is not None and len(palette) % 3 == 0 and 1 <= entries <= 2**depth
        fits = transparency is None or len(transparency) <= entries
    else:
        right = palette is None or (kind in {2, 6} and len(palette) % 3 == 0 and 3 <= len(palette) <= 768)
        fits = transparency is None or len(transparency) == {0: 2, 2: 6}.get(kind, -1)
    if not right or not fits:
        raise PictureDamaged("The palette or the transparent colour of the PNG file does not fit its pixels.")


def _essence(data: bytes, found: _Found) -> bytes:
    """Return a PNG file with the header, the palette and the pixels: chunks that touch are copied together."""
    view = memoryview(data)
    palette = found.kept.get(b"PLTE")
    pieces: list[bytes | memoryview] = [SIGNATURE, _chunk(b"IHDR", found.header)]
    if palette is not None and found.header[9] == PALETTE_TYPE:
        pieces.append(_chunk(b"PLTE", palette))
    pieces.append(view[found.pixels[0][0] : found.pixels[-1][1]])
    pieces.append(_chunk(b"IEND", b""))
    return b"".join(pieces)


def check_complete(essence: bytes) -> None:
    """Raise PictureDamaged for an essence whose pixels end before its last row, which decoders fill in silently."""
    width, height, depth, kind, *_, interlaced = struct.unpack_from(">IIBBBBB", essence, len(SIGNATURE) + 8)
    missing = _octets(width, height, depth * _CHANNELS[kind], interlaced=bool(interlaced))
    inflater, view, at = zlib.decompressobj(), memoryview(essence), len(SIGNATURE)
    try:
        while missing > 0 and at < len(essence):
            length = int.from_bytes(view[at : at + 4])
            compressed: bytes | memoryview = (
                view[at + 8 : at + 8 + length] if essence[at + 4 : at + 8] == b"IDAT" else b""
            )
            while missing > 0 and compressed:
                missing -= len(inflater.decompress(compressed, min(missing, _INFLATED_AT_ONCE)))
                compressed = inflater.unconsumed_tail
            at += 12 + length
    except zlib.error as error:
        raise PictureDamaged("The image is damaged and cannot be decoded.") from error
    if missing > 0:
        raise PictureDamaged("The PNG file is cut off: it has fewer pixels than its header says.")


def _octets(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    """Return the size of the pixels before compression: each row has an octet for its filter (7.2, 8.1)."""
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = ((-((left - width) // across), -((top - height) // down)) for left, top, across, down in passes)
    return sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes if columns > 0 and rows > 0)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _colours(kept: dict[bytes, bytes], limits: Limits) -> ColourStatements:
    cicp, srgb, gamma, corners = (kept.get(kind) for kind in (b"cICP", b"sRGB", b"gAMA", b"cHRM"))
    for kind, content, size in ((b"cICP", cicp, 4), (b"sRGB", srgb, 1), (b"gAMA", gamma, 4), (b"cHRM", corners, 32)):
        if content is not None and len(content) != size:
            raise ColoursUnusable(f"The {kind.decode()} chunk of the PNG file is damaged.")
    return ColourStatements(
        cicp=struct.unpack("4B", cicp) if cicp is not None else None,
        profile=_profile(kept[b"iCCP"], limits) if b"iCCP" in kept else None,
        srgb=srgb is not None,
        gamma=int.from_bytes(gamma) / _FIXED_POINT if gamma is not None else None,
        chromaticities=_chromaticities(corners) if corners is not None else None,
    )


def _chromaticities(content: bytes) -> Chromaticities:
    values = [value / _FIXED_POINT for value in struct.unpack(">8i", content)]
    white, red, green, blue = list(pairwise(values))[::2]
    return Chromaticities(white, red, green, blue)


def _profile(content: bytes, limits: Limits) -> bytes:
    """Return the profile of an iCCP chunk (11.3.2.3: name, 0, method 0, zlib stream), never more than is accepted."""
    name, separator, rest = content.partition(b"\0")
    if not separator or not 1 <= len(name) <= _KEYWORD_BYTES or rest[:1] != b"\0":
        raise ColoursUnusable("The colour profile of the PNG file is damaged.")
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(rest[1:], limits.max_metadata_bytes + 1)
    except zlib.error as error:
        raise ColoursUnusable("The colour profile of the PNG file is damaged.") from error
    limits.check_metadata(len(profile), "The colour profile")
    if not inflater.eof:
        raise ColoursUnusable("The colour profile of the PNG file is cut off.")
    return profile


def _metadata(kind: bytes, head: bytes) -> set[Metadata]:
    if kind in _TEXTS:
        return {_KIND_OF_KEYWORD.get(head.partition(b"\0")[0], Metadata.TEXT)}
    if kind == b"iCCP":
        return {Metadata.COLOUR_PROFILE}
    if kind == b"caBX":
        return {Metadata.CONTENT_CREDENTIALS}
    if kind == b"eXIf":
        return {Metadata.EXIF}
    return set() if kind in _HARMLESS else {Metadata.OTHER}
