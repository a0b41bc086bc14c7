"""Files whose samples, palettes, colours or orientation are odd, sound or not."""

import random
import struct
from functools import partial
from typing import Literal

import numpy as np
from PIL import Image, ImageCms

from tests.factories.odd_scenes import Named, flooded_jpeg, jpeg, png, samples, saved, scene, webp
from tests.factories.pictures import (
    chrm,
    cicp,
    exif_with,
    gama,
    grey_profile,
    iccp,
    jpeg_segment,
    plain_ink,
    plain_light,
    png_chunk,
    png_of,
    rgb_profile,
    steep,
    table_of,
    table_profile,
    with_segments,
)


def sixteen_bits() -> Named:
    kinds = {"grey": (0, 1), "grey and alpha": (4, 2), "RGB": (2, 3), "RGBA": (6, 4)}
    for name, (kind, channels) in kinds.items():
        for seed in range(3):
            values = samples(48, 32, channels, bits=16, seed=seed)
            yield name if seed == 0 else f"{name} {seed}", partial(png_of, values, depth=16, kind=kind)
    clear = png_chunk(b"tRNS", struct.pack(">H", 1000))
    yield (
        "grey with a transparent level",
        partial(png_of, np.full((16, 16, 1), 1000), clear, depth=16, kind=0, filters=(0, 1, 2)),
    )
    yield "grey of Pillow", lambda: png(Image.fromarray(samples(32, 24, 1, bits=16)[..., 0].astype(np.uint16)))
    yield (
        "steep curve over the lower bits",
        lambda: png_of(samples(48, 32, 3, bits=16), iccp(rgb_profile([steep(0.5, 0.504)] * 3)), depth=16),
    )


def palettes() -> Named:
    for depth in (1, 2, 4, 8):
        colours = np.random.default_rng(depth).integers(0, 256, (2**depth, 3), dtype=np.uint8).tobytes()
        values = samples(40, 30, 1, bits=depth)
        palette = png_chunk(b"PLTE", colours)
        clear = png_chunk(b"tRNS", bytes(range(2**depth))[: 2**depth])
        name = f"{depth} bits"
        yield name, partial(png_of, values, palette, depth=depth, kind=3)
        yield f"{name}, transparent", partial(png_of, values, palette, clear, depth=depth, kind=3)
        yield (
            f"{name}, a profile",
            partial(png_of, values, iccp(rgb_profile([steep(0.2, 0.8)] * 3)), palette, depth=depth, kind=3),
        )
    short = png_chunk(b"PLTE", bytes(range(9)))
    values = samples(40, 30, 1)
    yield "indexes past the end", partial(png_of, values, short, kind=3)
    yield "no palette", partial(png_of, values, kind=3)
    yield "empty palette", partial(png_of, values, png_chunk(b"PLTE"), kind=3)
    yield "palette of 257", partial(png_of, values, png_chunk(b"PLTE", bytes(257 * 3)), kind=3)
    yield "palette of four octets", partial(png_of, values, png_chunk(b"PLTE", bytes(4)), kind=3)
    yield "two palettes", partial(png_of, values, short, short, kind=3)
    yield "transparency before the palette", partial(png_of, values, png_chunk(b"tRNS", b"\0"), short, kind=3)
    yield "palette of a GIF", lambda: saved(scene().quantize(16), "GIF")


def colours() -> Named:
    near_white = rgb_profile([steep(0.96, 1.0)] * 3)
    white = 245 + samples(64, 48, 3) % 11
    yield "curve of near-white", partial(png_of, white, iccp(near_white))
    yield "curve of near-black", partial(png_of, samples(64, 48, 3) % 9, iccp(rgb_profile([steep(0.0, 0.04)] * 3)))
    yield (
        "curve that turns levels round",
        partial(png_of, samples(64, 48, 3), iccp(rgb_profile([table_of(lambda value: 1 - value)] * 3))),
    )
    for number, channel in enumerate(("red", "green", "blue")):
        curves = [table_of(lambda value: value)] * 3
        curves[number] = steep(0.4, 0.6)
        yield f"curve of {channel} only", partial(png_of, samples(64, 48, 3), iccp(rgb_profile(curves)))
    for intent in range(4):
        profile = table_profile(plain_light, intent=intent)
        yield f"table, intent {intent}", partial(png_of, samples(64, 48, 3), iccp(profile))
    for kind in (b"scnr", b"mntr", b"prtr", b"spac", b"abst", b"link", b"nmcl"):
        yield f"profile of class {kind.decode()}", partial(png_of, samples(64, 48, 3), iccp(rgb_profile(kind=kind)))
    yield "CMYK profile in RGB", partial(png_of, samples(64, 48, 3), iccp(table_profile(plain_ink, channels=4)))
    yield "grey profile in RGB", partial(png_of, samples(64, 48, 3), iccp(grey_profile(steep(0.2, 0.8))))
    yield "grey profile", partial(png_of, samples(64, 48, 1), iccp(grey_profile(steep(0.2, 0.8))), kind=0)
    yield "RGB profile in grey", partial(png_of, samples(64, 48, 1), iccp(rgb_profile()), kind=0)
    yield "profile of nothing", partial(png_of, white, iccp(b""))
    yield "profile of noise", partial(png_of, white, iccp(random.Random(1).randbytes(3000)))
    yield "profile cut off", partial(png_of, white, iccp(near_white[:400]))
    yield "profile with wrong lengths", partial(png_of, white, iccp(near_white[:132] + b"\xff" * 12 + near_white[144:]))
    yield "profile not compressed", partial(png_of, white, png_chunk(b"iCCP", b"profile\0\0" + near_white))
    yield "profile in JPEG", lambda: jpeg(scene(), icc_profile=near_white)
    yield "profile in WebP", lambda: webp(scene(), icc_profile=near_white)
    yield (
        "sRGB by ImageCms",
        lambda: jpeg(scene(), icc_profile=_made("sRGB")),
    )
    yield (
        "LAB by ImageCms",
        lambda: jpeg(scene(), icc_profile=_made("LAB")),
    )
    for gamma in (0.45455, 1.0, 0.25, 2.0, 0.0, 0.00001, 20_000.0):
        yield f"gAMA {gamma}", partial(png_of, samples(64, 48, 3), gama(gamma))
    wide = chrm(0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
    yield "gAMA and cHRM", partial(png_of, samples(64, 48, 3), gama(0.45455), wide)
    yield "cHRM alone", partial(png_of, samples(64, 48, 3), wide)
    yield "cHRM on a line", partial(png_of, samples(64, 48, 3), gama(0.5), chrm(*[0.3] * 8))
    statements = {"P3": (12, 13), "BT.2100 PQ": (9, 16), "HLG": (9, 18), "linear": (1, 8), "unknown": (2, 2)}
    for name, (primaries, transfer) in statements.items():
        yield f"cICP {name}", partial(png_of, samples(64, 48, 3), cicp(primaries, transfer))
    yield "cICP of YUV", partial(png_of, samples(64, 48, 3), cicp(1, 13, 1, 0))
    yield "cICP too short", partial(png_of, samples(64, 48, 3), png_chunk(b"cICP", b"\1"))
    yield (
        "cICP, profile, sRGB and gAMA at once",
        partial(png_of, samples(64, 48, 3), cicp(12, 13), iccp(near_white), png_chunk(b"sRGB", b"\0"), gama(1.0)),
    )


def _made(space: Literal["sRGB", "LAB"]) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def jpeg_colours() -> Named:
    yield "CMYK", lambda: jpeg(scene().convert("CMYK"))
    yield (
        "CMYK with a profile",
        lambda: jpeg(scene().convert("CMYK"), icc_profile=table_profile(plain_ink, channels=4, points=5)),
    )
    yield "CMYK with an RGB profile", lambda: jpeg(scene().convert("CMYK"), icc_profile=rgb_profile())
    yield "grey", lambda: jpeg(scene(mode="L"))
    yield "grey with a profile", lambda: jpeg(scene(mode="L"), icc_profile=grey_profile(steep(0.2, 0.8)))
    for subsampling in (0, 1, 2):
        yield f"subsampling {subsampling}", partial(jpeg, scene(), subsampling=subsampling)
    for quality in (1, 100):
        yield f"quality {quality}", partial(jpeg, scene(), quality=quality)
    yield "RGB without a transform", lambda: jpeg(scene(), keep_rgb=True)
    for transform in (0, 1, 2, 9):
        marker = jpeg_segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes((transform,)))
        yield f"Adobe transform {transform}", partial(flooded_jpeg, marker)
    yield "restarts", lambda: jpeg(scene(), restart_marker_rows=1)


def turned() -> Named:
    for orientation in (*range(10), 65535):
        yield f"orientation {orientation}", partial(jpeg, scene(120, 60), exif=exif_with(orientation=orientation))
    yield "orientation 6 in PNG", lambda: png(scene(120, 60), exif=exif_with(orientation=6))
    yield "orientation 8 in WebP", lambda: webp(scene(120, 60), exif=exif_with(orientation=8))
    yield (
        "EXIF of noise",
        lambda: with_segments(jpeg(scene()), jpeg_segment(0xE1, b"Exif\0\0" + random.Random(7).randbytes(500))),
    )


def transparent() -> Named:
    yield "all clear", lambda: png(Image.new("RGBA", (64, 64), (255, 0, 255, 0)))
    yield "hidden colours", lambda: png(_hidden())
    yield "hidden colours in WebP", lambda: webp(_hidden(), lossless=True, exact=True)
    yield "grey and alpha", lambda: png(scene(mode="LA"))
    yield (
        "one transparent colour",
        lambda: png_of(samples(40, 30, 3) // 64 * 64, png_chunk(b"tRNS", struct.pack(">HHH", 64, 128, 192))),
    )
    yield (
        "one transparent grey",
        lambda: png_of(samples(40, 30, 1) // 64 * 64, png_chunk(b"tRNS", struct.pack(">H", 64)), kind=0),
    )
    yield "transparency too long", lambda: png_of(samples(40, 30, 3), png_chunk(b"tRNS", bytes(100)))
    yield "transparency beside alpha", lambda: png_of(samples(40, 30, 4), png_chunk(b"tRNS", bytes(6)), kind=6)


def _hidden() -> Image.Image:
    picture = scene(64, 64)
    picture.putalpha(Image.new("L", (64, 64)))
    picture.paste((10, 200, 10, 255), (16, 16, 48, 48))
    return picture
