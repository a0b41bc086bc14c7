"""Files that are large, in what they announce, in what they unpack to, or in how many parts they have."""

import struct
import zlib
from functools import partial

import numpy as np
from PIL import Image

from tests.factories.odd_scenes import Named, flooded_jpeg, jpeg, png, samples, scene, webp, with_chunks
from tests.factories.pictures import (
    iccp,
    jpeg_segment,
    png_chunk,
    png_file,
    png_header,
    webp_file,
    with_segments,
)

MODEL_LIMIT = 6_000_000
"""Pixels of the largest input that doubles to the default limit of outputs."""


def floods() -> Named:
    for count in (100, 9_000, 20_000, 200_000, 750_000):
        yield f"JPEG, {count} empty comments", partial(flooded_jpeg, jpeg_segment(0xFE, b"") * count)
        yield f"PNG, {count} empty chunks", partial(with_chunks, png_chunk(b"teSt") * min(count, 250_000))
    for count in (1_000, 100_000):
        yield f"JPEG, {count} tables", partial(flooded_jpeg, jpeg_segment(0xDD, b"\0\0") * count)
        yield f"JPEG, {count} fill bytes", partial(flooded_jpeg, b"\xff" * count + jpeg_segment(0xFE, b""))
        yield f"JPEG, {count} application segments", partial(flooded_jpeg, jpeg_segment(0xE5, b"x") * count)
        yield f"PNG, {count} texts", partial(with_chunks, png_chunk(b"tEXt", b"a\0b") * count)
        yield f"PNG, {count} empty IDAT chunks", partial(_many_idat, count)
        yield f"WebP, {count} chunks", partial(_flooded_webp, count)
        yield f"PNG, {count} times", partial(with_chunks, png_chunk(b"tIME", bytes(7)) * count)
    yield "PNG, one IDAT chunk per byte", _idat_bytes
    yield "JPEG, 60 profiles in pieces", partial(flooded_jpeg, jpeg_segment(0xE2, b"ICC_PROFILE\0\1\3abc") * 60)


def _many_idat(count: int) -> bytes:
    header, pixels = png_header(8, 8), zlib.compress(bytes(8 * 25))
    return png_file(header, png_chunk(b"IDAT") * count, png_chunk(b"IDAT", pixels))


def _idat_bytes() -> bytes:
    pixels = zlib.compress(np.random.default_rng(1).bytes(64 * (64 * 3 + 1)).replace(b"\xff", b"\0"), 0)
    lines = b"".join(b"\0" + bytes(range(192)) for _ in range(64))
    pixels = zlib.compress(lines)
    return png_file(png_header(64, 64), *(png_chunk(b"IDAT", pixels[at : at + 1]) for at in range(len(pixels))))


def _flooded_webp(count: int) -> bytes:
    file = webp(scene())
    return webp_file((b"VP8 ", file[20:]), *[(b"JUNK", b"")] * count)


def bombs() -> Named:
    for width, height in ((30_000, 30_000), (65_500, 65_500), (2**31 - 1, 2**31 - 1), (2**32 - 1, 1), (16_385, 1_000)):
        yield f"PNG header of {width} × {height}", partial(_announced, width, height)
    for edge in (5_000, 20_000):
        yield f"PNG of {edge} × {edge} zeros", partial(_zeros, edge)
    yield "PNG of 60000 × 60000 single bits", partial(_zeros, 60_000, depth=1, rows=2_000)
    yield "JPEG header of 65500 × 65500", partial(_jpeg_header, 65_500, 65_500)
    yield "WebP header of 16383 × 16383", partial(_webp_header, 16_383, 16_383)
    yield "pixels for a hundred times the size", _too_many_pixels
    yield "pixels for half the size", _too_few_pixels
    yield "compressed profile of 64 MB", lambda: with_chunks(iccp(bytes(64 * 2**20)))
    yield "compressed profile of 3 MB", lambda: with_chunks(iccp(bytes(3 * 2**20)))
    yield (
        "compressed text of 64 MB",
        lambda: with_chunks(png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(64 * 2**20)))),
    )
    yield (
        "international text of 64 MB",
        lambda: with_chunks(png_chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(64 * 2**20)))),
    )
    yield "EXIF of 60 kB that loops", lambda: with_segments(jpeg(scene()), jpeg_segment(0xE1, _looping_exif()))
    yield "PNG length past the end", lambda: with_chunks(struct.pack(">I", 2**31 - 1) + b"teSt")
    yield "WebP length past the end", lambda: b"RIFF" + struct.pack("<I", 2**32 - 1) + webp(scene())[8:]


def _announced(width: int, height: int) -> bytes:
    return png_file(png_header(width, height), png_chunk(b"IDAT", zlib.compress(bytes(1000))))


def _zeros(edge: int, *, depth: int = 8, rows: int | None = None) -> bytes:
    line = bytes(1 + edge * depth // 8)
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(line) for _ in range(rows or edge)) + packer.flush()
    return png_file(png_header(edge, edge, depth=depth, kind=0), png_chunk(b"IDAT", packed))


def _jpeg_header(width: int, height: int) -> bytes:
    file = jpeg(scene())
    at = file.index(b"\xff\xc0")
    return file[: at + 5] + struct.pack(">HH", height, width) + file[at + 9 :]


def _webp_header(width: int, height: int) -> bytes:
    file = webp(scene())
    at = file.index(b"\x9d\x01\x2a") + 3
    return file[:at] + struct.pack("<HH", width, height) + file[at + 4 :]


def _too_many_pixels() -> bytes:
    return png_file(png_header(16, 16), png_chunk(b"IDAT", zlib.compress(bytes(16 * 49 * 100))))


def _too_few_pixels() -> bytes:
    return png_file(png_header(16, 16), png_chunk(b"IDAT", zlib.compress(bytes(8 * 49))))


def _looping_exif() -> bytes:
    entries = struct.pack("<HHII", 0x8769, 4, 1, 8) * 4_900
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 4_900) + entries + struct.pack("<I", 8)


def thin() -> Named:
    sizes = ((400_000, 8), (8, 400_000), (16_384, 8), (16_384, 820), (820, 16_384), (16_000, 1_200), (8, 2_000))
    for width, height in (*sizes, (160, 8), (8, 160), (161, 8), (2_000, 100), (100, 2_001)):
        yield f"RGB {width} × {height}", partial(_plain_png, width, height)
    yield "two colours 400000 × 8", lambda: png(Image.new("1", (400_000, 8)))
    yield "transparent 4000 × 200", lambda: png(scene(4_000, 200, "RGBA"))


def _plain_png(width: int, height: int) -> bytes:
    return png(Image.new("RGB", (width, height), (90, 140, 60)))


def no_sizes() -> Named:
    for width, height in ((0, 10), (10, 0), (0, 0)):
        yield f"PNG {width} × {height}", partial(_announced, width, height)
        yield f"JPEG {width} × {height}", partial(_jpeg_header, width, height)
        yield f"WebP {width} × {height}", partial(_webp_header, width, height)


def scans() -> Named:
    yield "progressive", lambda: jpeg(scene(), progressive=True)
    for count in (20, 100, 5_000):
        yield f"progressive, {count} more scans", partial(_more_scans, count)
    yield "progressive of 16 megapixels", lambda: jpeg(scene(4_000, 4_000), progressive=True, quality=30)


def _more_scans(count: int) -> bytes:
    """Return a progressive JPEG file whose last scan comes again and again."""
    file = jpeg(scene(400, 400), progressive=True)
    last = file.rindex(b"\xff\xda")
    return file[:-2] + file[last:-2] * count + b"\xff\xd9"


def interlaced() -> Named:
    kinds = {"grey": (0, 1), "RGB": (2, 3), "RGBA": (6, 4)}
    for name, (kind, channels) in kinds.items():
        yield name, partial(_adam7, 33, 17, kind, channels)
    yield "large RGB", partial(_adam7, 2_000, 1_500, 2, 3)
    yield "cut off", lambda: _adam7(33, 17, 2, 3)[:200]


#: Of each pass of Adam7: first column and row, and steps (PNG third edition, 8.2).
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _adam7(width: int, height: int, kind: int, channels: int) -> bytes:
    values = samples(width, height, channels).astype(np.uint8)
    lines = [
        b"\0" + row.tobytes()
        for left, top, right, down in _PASSES
        for row in values[top::down, left::right]
        if row.size
    ]
    packed = zlib.compress(b"".join(lines), 1)
    return png_file(png_header(width, height, kind=kind, interlaced=True), png_chunk(b"IDAT", packed))


def tiny() -> Named:
    for width, height in ((1, 1), (1, 8), (7, 7), (8, 8), (9, 8)):
        yield f"PNG {width} × {height}", lambda size=(width, height): png(scene(*size))  # type: ignore[misc]
        yield f"JPEG {width} × {height}", lambda size=(width, height): jpeg(scene(*size))  # type: ignore[misc]


def large() -> Named:
    """Pictures at the limits, which cost a worker the most memory and time."""
    yield "RGBA 4472 × 4472, one colour", lambda: png(Image.new("RGBA", (4_472, 4_472), (200, 30, 30, 128)))
    yield "RGB 4472 × 4472, one colour", lambda: png(Image.new("RGB", (4_472, 4_472), (200, 30, 30)))
    yield "RGB past the limit", lambda: png(Image.new("RGB", (4_473, 4_473)))
    yield "JPEG of 20 megapixels", lambda: jpeg(scene(5_472, 3_648))
    yield "16-bit RGBA of 5 megapixels", lambda: png(Image.new("RGBA", (2_236, 2_236), (1, 2, 3, 200)))
    edge = int(MODEL_LIMIT**0.5)
    yield "RGBA at the model's limit", lambda: png(Image.new("RGBA", (edge, edge), (200, 30, 30, 128)))
    yield "noise at the model's limit", lambda: png(_noise(2_560, 2_340), compress_level=1)
    yield "JPEG at the model's limit", lambda: jpeg(scene(3_000, 2_000))
    yield "WebP of 5 megapixels", lambda: webp(scene(2_500, 2_000))


def _noise(width: int, height: int) -> Image.Image:
    octets = np.random.default_rng(9).integers(0, 256, (height, width, 4), dtype=np.uint8)
    octets[..., 3] |= 128
    return Image.fromarray(octets)
