"""The structure of WebP files (RFC 9649, sections 2.3 to 2.7)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from governance.pictures.errors import PictureDamaged, PictureUnsupported
from governance.pictures.exif import UPRIGHT, Exif, read_exif
from governance.pictures.left_out import behind
from governance.pictures.limits import Limits, PartCounter
from governance.pictures.types import ColourStatements, Metadata, Structure

_PIXELS: Final = frozenset({b"VP8 ", b"VP8L"})
_ONCE: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP", b"EXIF", b"XMP "})
_ANIMATION_FLAG, _ALPHA_FLAG = 0x02, 0x10
_KINDS: Final = {b"ICCP": Metadata.COLOUR_PROFILE, b"EXIF": Metadata.EXIF, b"XMP ": Metadata.XMP}
_HEAD_BYTES: Final = 12
_VP8L_SIGNATURE: Final = 0x2F


@dataclass(slots=True)
class _Found:
    order: list[bytes] = field(default_factory=list)
    at: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    metadata: set[Metadata] = field(default_factory=set)


def read_webp(data: bytes, limits: Limits) -> Structure:
    """Return the structure of a WebP file. Raises what `structure.read_structure` raises."""
    parts = PartCounter(limits)
    end = _HEAD_BYTES - 4 + _little(data[4:8])
    if end > len(data):
        raise PictureDamaged("The WebP file is cut off.")
    found = _walk(data, end, parts)
    kind = found.order[-1]
    width, height = _size(data, kind, found)
    limits.check_size(width, height)
    profile = _content(data, found, b"ICCP")
    limits.check_metadata(len(profile or b""), "The colour profile")
    exif_content = _content(data, found, b"EXIF")
    exif = read_exif(exif_content) if exif_content is not None else Exif(UPRIGHT, ())
    return Structure(
        format="WEBP",
        media_type="image/webp",
        width=width,
        height=height,
        bits=8,
        channels=4,
        essence=_essence(data, kind, found),
        orientation=exif.orientation,
        colours=ColourStatements(profile=profile),
        left_out=behind(data, end, parts),
        metadata=tuple(sorted(found.metadata | set(exif.kinds))),
    )


def _walk(data: bytes, end: int, parts: PartCounter) -> _Found:
    """Note where the known chunks are; the order ends with the chunk of pixels, which comes exactly once."""
    found = _Found()
    for kind, start, stop in _chunks(data, end, parts):
        if kind in {b"ANIM", b"ANMF"}:
            raise PictureUnsupported.animated()
        if kind in _ONCE and (kind in found.at or (kind in _PIXELS and _PIXELS & found.at.keys())):
            raise PictureDamaged("The WebP file does not hold exactly one image.")
        if kind in {b"ICCP", b"ALPH", b"VP8X"} and _PIXELS & found.at.keys():
            raise PictureDamaged("The chunks of the WebP file are in the wrong order.")
        if kind in _ONCE:
            found.at[kind] = (start, stop)
        if kind in _PIXELS:
            found.order.append(kind)
        if kind not in {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}:
            found.metadata.add(_KINDS.get(kind, Metadata.OTHER))
    if not found.order:
        raise PictureDamaged("The WebP file does not hold exactly one image.")
    return found


def _chunks(data: bytes, end: int, parts: PartCounter) -> Iterator[tuple[bytes, int, int]]:
    at = _HEAD_BYTES
    while at < end:
        parts.count()
        start = at + 8
        stop = start + _little(data[at + 4 : start])
        if stop > end:
            raise PictureDamaged("The WebP file is damaged.")
        yield data[at : at + 4], start, stop
        at = stop + stop % 2


def _size(data: bytes, kind: bytes, found: _Found) -> tuple[int, int]:
    """Return the size of the picture, which a canvas must not contradict."""
    start, stop = found.at[kind]
    head = data[start : min(stop, start + 10)]
    if kind == b"VP8 ":
        size = (_little(head[6:8]) & 0x3FFF, _little(head[8:10]) & 0x3FFF)
        whole = len(head) == 10 and head[3:6] == b"\x9d\x01\x2a"
    else:
        bits = _little(head[1:5])
        size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        whole = len(head) >= 5 and head[0] == _VP8L_SIGNATURE
    if not whole:
        raise PictureDamaged("The WebP file is damaged.")
    canvas = _content(data, found, b"VP8X")
    if canvas is not None:
        if len(canvas) != 10 or (_little(canvas[4:7]) + 1, _little(canvas[7:10]) + 1) != size:
            raise PictureDamaged("The WebP file does not hold exactly one image.")
        if canvas[0] & _ANIMATION_FLAG:
            raise PictureUnsupported.animated()
    return size


def _essence(data: bytes, kind: bytes, found: _Found) -> bytes:
    """Return a WebP file with the pixels and, where the file has them, the canvas and the alpha channel."""
    chunks: list[bytes] = []
    canvas = _content(data, found, b"VP8X")
    if canvas is not None:
        chunks.append(_chunk(b"VP8X", bytes((canvas[0] & _ALPHA_FLAG,)) + canvas[1:]))
        if b"ALPH" in found.at and kind == b"VP8 ":
            chunks.append(_chunk(b"ALPH", data[slice(*found.at[b"ALPH"])]))
    chunks.append(_chunk(kind, data[slice(*found.at[kind])]))
    size = 4 + sum(map(len, chunks))
    return b"".join([b"RIFF", size.to_bytes(4, "little"), b"WEBP", *chunks])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def _content(data: bytes, found: _Found, kind: bytes) -> bytes | None:
    return data[slice(*found.at[kind])] if kind in found.at else None


def _little(octets: bytes) -> int:
    return int.from_bytes(octets, "little")
