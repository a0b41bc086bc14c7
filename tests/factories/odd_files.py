"""Files that are damaged, cut off, of another type, or more than one thing at once."""

import random
import struct
from functools import partial

from tests.factories.odd_scenes import Named, followed, jpeg, png, saved, scene, webp, with_chunks
from tests.factories.pictures import (
    exif_with,
    gain_map,
    jpeg_segment,
    mp4,
    png_chunk,
    webp_file,
    with_segments,
)


def phones() -> Named:
    photo = jpeg(scene(320, 240), quality=90)
    yield "gain map", lambda: photo + gain_map()
    yield (
        "gain map of many pictures",
        lambda: saved(scene(), "MPO", save_all=True, append_images=[scene(seed=2), scene(seed=3)]),
    )
    for count in (2, 50):
        yield f"{count} further pictures", partial(_repeated, photo, count)
    for size in (64, 5_000_000):
        name = "motion photo" if size == 64 else f"motion photo of {size} bytes"
        yield name, partial(followed, photo, mp4(size))
    yield "trailing zeros", partial(followed, photo, bytes(4096))
    yield "trailing noise", partial(followed, photo, random.Random(3).randbytes(4096))
    yield "5 MB of trailing zeros", partial(followed, photo, bytes(5_000_000))
    yield "gain map and video", lambda: photo + gain_map() + mp4()
    yield "PNG with trailing zeros", lambda: png(scene()) + bytes(100)
    yield "WebP with trailing zeros", lambda: webp(scene()) + bytes(100)
    yield (
        "EXIF with place, artist and device",
        lambda: jpeg(scene(), exif=exif_with(orientation=1, artist="Ada", make="Phone", place="N")),
    )
    yield "XMP", lambda: jpeg(scene(), xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")


def _repeated(file: bytes, count: int) -> bytes:
    return file * (count + 1)


def polyglots() -> Named:
    strangers = {
        "ZIP": b"PK\3\4" + bytes(26) + b"PK\5\6" + bytes(18),
        "PDF": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "HTML": b"<html><script>alert(1)</script></html>",
        "ELF": b"\x7fELF\2\1\1" + bytes(57),
        "shell": b"\n#!/bin/sh\nid\n",
        "PHP": b"<?php system($_GET[0]); ?>",
    }
    for name, stranger in strangers.items():
        yield f"JPEG and {name}", partial(followed, jpeg(scene()), stranger)
        yield f"PNG and {name}", partial(followed, png(scene()), stranger)
        yield f"{name} before a JPEG", partial(followed, stranger, jpeg(scene()))
    yield (
        "JPEG with a script in a comment",
        lambda: with_segments(jpeg(scene()), jpeg_segment(0xFE, b"*/=1;alert(1)/*")),
    )


def cut() -> Named:
    files = {"PNG": png(scene()), "JPEG": jpeg(scene(), quality=90), "WebP": webp(scene(), quality=90)}
    progressive = {"progressive JPEG": jpeg(scene(), progressive=True)}
    for name, file in (files | progressive).items():
        for share in (1, 5, 10, 25, 50, 75, 90, 95, 98, 99):
            yield f"{name} at {share} %", partial(_start, file, len(file) * share // 100)
        for missing in (1, 2, 8):
            yield f"{name} without its last {missing}", partial(_start, file, len(file) - missing)


def _start(file: bytes, length: int) -> bytes:
    return file[:length]


def damaged() -> Named:
    file = png(scene())
    for chunk in (b"IHDR", b"IDAT", b"IEND"):
        at = file.index(chunk)
        length = struct.unpack(">I", file[at - 4 : at])[0]
        yield f"wrong checksum of {chunk.decode()}", partial(_flipped, file, at + 4 + length)
    for name, whole in (("PNG", file), ("JPEG", jpeg(scene())), ("WebP", webp(scene()))):
        for seed in range(12):
            yield f"{name}, bits turned {seed}", partial(_shaken, whole, seed)
    yield "chunks out of order", lambda: file[:8] + file[file.index(b"IDAT") - 4 :] + file[8:33]
    yield "two headers", lambda: file[:33] + file[8:]
    yield "two pictures in a row", lambda: file + file


def _flipped(file: bytes, at: int) -> bytes:
    return file[:at] + bytes((file[at] ^ 1,)) + file[at + 1 :]


def _shaken(file: bytes, seed: int) -> bytes:
    dice = random.Random(seed)
    for _ in range(1 + seed):
        file = _flipped(file, dice.randrange(12, len(file)))
    return file


def animations() -> Named:
    frames = [scene(seed=seed) for seed in range(1, 4)]
    yield "APNG", lambda: png(scene(), save_all=True, append_images=frames)
    yield "GIF", lambda: saved(scene(), "GIF", save_all=True, append_images=frames)
    yield "WebP", lambda: webp(scene(), save_all=True, append_images=frames)
    yield (
        "APNG with a hidden first picture",
        lambda: png(scene(), save_all=True, append_images=frames, default_image=True),
    )
    yield (
        "PNG that announces frames and has none",
        lambda: with_chunks(png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))),
    )
    yield "WebP that announces an animation", lambda: webp_file((b"VP8X", b"\2" + bytes(9)), (b"ANIM", bytes(6)))


def others() -> Named:
    yield "nothing", lambda: b""
    yield "one byte", lambda: b"\x89"
    yield "text", lambda: b"not a picture at all " * 50
    yield "SVG", lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for kind in ("TIFF", "BMP", "PPM", "ICO", "TGA", "PCX", "SGI", "JPEG2000", "DDS"):
        yield kind, partial(saved, scene(64, 64), kind)
    yield "AVIF", lambda: b"\0\0\0\x20ftypavif" + bytes(500)
    yield "HEIC", lambda: b"\0\0\0\x20ftypheic" + bytes(500)
    yield "PDF", lambda: b"%PDF-1.7\n" + bytes(500)
    yield "noise", lambda: random.Random(5).randbytes(5_000)
    yield "PNG signature alone", lambda: b"\x89PNG\r\n\x1a\n"
    yield "JPEG start alone", lambda: b"\xff\xd8\xff"
    yield "RIFF that is no WebP", lambda: b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + bytes(30)
