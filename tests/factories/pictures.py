"""Odd pictures for tests: files put together chunk by chunk, and colour profiles of every class."""

import io
import struct
import zlib
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

D50 = (0.9642, 1.0, 0.8249)
SRGB_COLORANTS = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
"""Red, green and blue of sRGB as XYZ relative to D50."""
WIDE_COLORANTS = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
"""Those of Adobe RGB (1998)."""
ORIENTATION = 0x0112
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Left, top, and the steps to the right and down of each pass of an interlaced PNG file (8.2)."""


def png_chunk(kind: bytes, content: bytes = b"") -> bytes:
    """Return a PNG chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_file(*chunks: bytes) -> bytes:
    """Return a PNG file of the given chunks and an end."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + png_chunk(b"IEND")


def png_header(width: int, height: int, *, depth: int = 8, kind: int = 2, interlaced: bool = False) -> bytes:
    """Return an IHDR chunk; `kind` is the colour type."""
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))


def png_of(
    samples: np.ndarray,
    *chunks: bytes,
    depth: int = 8,
    kind: int = 2,
    filters: Sequence[int] = (0,),
    interlaced: bool = False,
) -> bytes:
    """Return a PNG file of (h, w, channels) samples, with `chunks` between its header and its pixels.

    Each row is filtered by the next of `filters`: 0 (none), 1 (by the pixel to the left) or 2 (by the one above).
    """
    height, width, channels = samples.shape
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [samples[top::down, left::across] for left, top, across, down in passes]
    step = max(1, channels * depth // 8)
    lines = b"".join(_lines(part, depth, step, filters) for part in parts if part.size)
    header = png_header(width, height, depth=depth, kind=kind, interlaced=interlaced)
    return png_file(header, *chunks, png_chunk(b"IDAT", zlib.compress(lines, 1)))


def _lines(samples: np.ndarray, depth: int, step: int, filters: Sequence[int]) -> bytes:
    height, width, channels = samples.shape
    rows = samples.reshape(height, width * channels)
    if depth == 16:
        octets = np.ascontiguousarray(rows.astype(">u2")).view(np.uint8).reshape(height, -1)
    elif depth == 8:
        octets = rows.astype(np.uint8)
    else:
        bits = np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        octets = np.packbits(bits.reshape(height, -1), axis=-1)
    return b"".join(_filtered(octets, row, filters[row % len(filters)], step) for row in range(height))


def _filtered(octets: np.ndarray, row: int, method: int, step: int) -> bytes:
    line = octets[row].astype(np.int16)
    left = np.concatenate([np.zeros(step, np.int16), line[:-step]]) if len(line) > step else np.zeros_like(line)
    above = octets[row - 1].astype(np.int16) if row else np.zeros_like(line)
    predicted = {0: np.zeros_like(line), 1: left, 2: above}[method]
    return bytes((method,)) + ((line - predicted) % 256).astype(np.uint8).tobytes()


def gama(gamma: float) -> bytes:
    """Return a gAMA chunk."""
    return png_chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(*values: float) -> bytes:
    """Return a cHRM chunk of x and y of white, red, green and blue."""
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


def cicp(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> bytes:
    """Return a cICP chunk."""
    return png_chunk(b"cICP", bytes((primaries, transfer, matrix, full_range)))


def iccp(profile: bytes) -> bytes:
    """Return an iCCP chunk."""
    return png_chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


def jpeg_segment(marker: int, content: bytes) -> bytes:
    """Return a JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def icc_segments(profile: bytes) -> list[bytes]:
    """Return the APP2 segments of a profile (ICC.1:2022, B.4)."""
    pieces = [profile[at : at + 65_000] for at in range(0, len(profile), 65_000)]
    return [
        jpeg_segment(0xE2, b"ICC_PROFILE\0" + bytes((number, len(pieces))) + piece)
        for number, piece in enumerate(pieces, start=1)
    ]


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """Return a JPEG file with `segments` right behind its start."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def exif_with(**values: object) -> Image.Exif:
    """Return EXIF data with an `orientation`, an `artist`, a `make` or a `place`."""
    exif = Image.Exif()
    tags = {"orientation": ORIENTATION, "artist": 0x013B, "make": 0x010F}
    for name, value in values.items():
        if name == "place":
            exif.get_ifd(0x8825)[1] = value
        else:
            exif[tags[name]] = value
    return exif


def webp_file(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a WebP file of the given chunks."""
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2) for kind, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def mp4(size: int = 64) -> bytes:
    """Return the boxes of a video without any."""
    return struct.pack(">I", 16) + b"ftypmp42" + bytes(4) + struct.pack(">I", size) + b"mdat" + bytes(size - 8)


def gain_map(width: int = 16, height: int = 12) -> bytes:
    """Return a JPEG file that says it is the gain map of another."""
    out = io.BytesIO()
    Image.new("L", (width, height), 99).save(out, "JPEG")
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"/>'
    return with_segments(out.getvalue(), jpeg_segment(0xE1, xmp))


# Profiles (ICC.1:2022, 7 to 10)


def icc_profile(
    tags: dict[bytes, bytes],
    *,
    space: bytes = b"RGB ",
    kind: bytes = b"mntr",
    connection: bytes = b"XYZ ",
    version: int = 0x04300000,
    intent: int = 0,
) -> bytes:
    """Return a profile with the given tags, each a whole element of its type."""
    described = {b"desc": _text("test"), b"cprt": _text("none"), b"wtpt": xyz(*D50), **tags}
    at = 128 + 4 + 12 * len(described)
    table, elements = b"", b""
    for signature, element in described.items():
        table += struct.pack(">4sII", signature, at + len(elements), len(element))
        elements += element + bytes(-len(element) % 4)
    whole = at + len(elements)
    date = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    white = struct.pack(">3i", *(round(value * 65536) for value in D50))
    head = struct.pack(">I4sI", whole, b"\0" * 4, version) + kind + space + connection + date + b"acsp"
    head += struct.pack(">4sIIIQI", b"\0" * 4, 0, 0, 0, 0, intent) + white
    return head.ljust(128, b"\0") + struct.pack(">I", len(described)) + table + elements


def _text(value: str) -> bytes:
    encoded = value.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded


def xyz(*values: float) -> bytes:
    """Return an XYZType element."""
    return b"XYZ " + bytes(4) + struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def curve(values: Sequence[int]) -> bytes:
    """Return a curveType element: no value, an exponent in 1/256, or a table from 0 to 65535."""
    return b"curv" + bytes(4) + struct.pack(f">I{len(values)}H", len(values), *values)


def parametric(kind: int, *values: float) -> bytes:
    """Return a parametricCurveType element."""
    fixed = struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + fixed


def table_of(function: Callable[[float], float], entries: int = 1024) -> bytes:
    """Return a curveType element with a table of `function` over [0, 1]."""
    return curve([round(65535 * min(1, max(0, function(step / (entries - 1))))) for step in range(entries)])


SRGB_CURVE = parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def rgb_profile(
    curves: Sequence[bytes] = (SRGB_CURVE,) * 3,
    colorants: Sequence[Sequence[float]] = SRGB_COLORANTS,
    **options: object,
) -> bytes:
    """Return a profile of primaries and curves."""
    tags = {
        b"rXYZ": xyz(*colorants[0]),
        b"gXYZ": xyz(*colorants[1]),
        b"bXYZ": xyz(*colorants[2]),
        b"rTRC": curves[0],
        b"gTRC": curves[1],
        b"bTRC": curves[2],
    }
    return icc_profile(tags, **options)  # type: ignore[arg-type]


def steep(first: float, last: float) -> bytes:
    """Return a curve that spreads the range from `first` to `last` over everything that is seen."""
    return table_of(lambda value: (value - first) / (last - first), 4096)


def grey_profile(element: bytes, *, connection: bytes = b"XYZ ") -> bytes:
    """Return a profile of grey pixels with the given curve."""
    return icc_profile({b"kTRC": element}, space=b"GRAY", connection=connection)


def table_profile(
    colours: Callable[[np.ndarray], np.ndarray],
    *,
    channels: int = 3,
    points: int = 9,
    entry: Callable[[float], float] = lambda value: value,
    kind: bytes = b"prtr",
    intent: int = 0,
) -> bytes:
    """Return a profile with a lut16Type table of many dimensions (10.10) to CIELAB, encoded as in version 2.

    `colours` takes (n, channels) values in [0, 1] to L*, a* and b*; `entry` is the curve before it.
    """
    axes = np.meshgrid(*[np.linspace(0, 1, points)] * channels, indexing="ij")
    lab = colours(np.stack(axes, axis=-1).reshape(-1, channels))
    encoded = np.stack([lab[:, 0] / 100 * 65280, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], axis=1)
    entries = [round(65535 * min(1, max(0, entry(step / 255)))) for step in range(256)]
    identity = struct.pack(">9i", *(65536 if place % 4 == 0 else 0 for place in range(9)))
    element = b"mft2" + bytes(4) + bytes((channels, 3, points, 0)) + identity + struct.pack(">HH", 256, 2)
    element += struct.pack(">256H", *entries) * channels
    element += np.rint(encoded).clip(0, 65535).astype(">u2").tobytes() + struct.pack(">2H", 0, 65535) * 3
    space = {1: b"GRAY", 3: b"RGB ", 4: b"CMYK"}[channels]
    return icc_profile(
        {b"A2B0": element}, space=space, kind=kind, connection=b"Lab ", version=0x02400000, intent=intent
    )


def plain_ink(values: np.ndarray) -> np.ndarray:
    """Return a rough L*, a* and b* of CMYK inks: for `table_profile`."""
    cyan, magenta, yellow, black = values.T
    light = 100 * (1 - black) * (1 - 0.4 * cyan) * (1 - 0.5 * magenta) * (1 - 0.1 * yellow)
    return np.stack([light, 60 * (magenta - cyan) * (1 - black), 70 * (yellow - 0.6 * cyan) * (1 - black)], axis=1)


def plain_light(values: np.ndarray) -> np.ndarray:
    """Return a rough L*, a* and b* of RGB light: for `table_profile`."""
    red, green, blue = values.T
    return np.stack([30 * red + 60 * green + 10 * blue, 90 * (red - green), 60 * (green - blue)], axis=1)
