"""Photos as phones save them: with their first picture, and a list of what was left out."""

import io
import re
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from governance.pictures.decoding import inspect
from governance.pictures.errors import PictureRefused
from governance.pictures.limits import Limits
from governance.pictures.types import LeftOut, LeftOutKind, Metadata
from tests.effort import examples
from tests.factories.images import decoded, encoded, image_bytes, noise
from tests.factories.pictures import exif_with, gain_map, jpeg_segment, mp4, png_chunk, with_segments

PHOTO = image_bytes("JPEG")
TRAILER = b"SEFH" + bytes(20) + b"SEFT"
GAIN_MAP = gain_map()
VIDEO = mp4()
FILE_TYPE = VIDEO[:16]
IMAGES = {"png": image_bytes("PNG"), "jpeg": PHOTO, "webp": image_bytes("WEBP")}


def left_out(data: bytes) -> dict[str, int]:
    return {each.kind.value: each.size for each in inspect(data, Limits()).left_out}


def multi_picture(kind: str = "MPO") -> bytes:
    return encoded(noise(), kind, save_all=True, append_images=[noise(16, 12, seed=1)])


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        (b"", {}),
        (bytes(16), {"trailing_bytes": 16}),
        (TRAILER, {"trailing_bytes": len(TRAILER)}),
        (GAIN_MAP, {"gain_map": len(GAIN_MAP)}),
        (PHOTO, {"further_picture": len(PHOTO)}),
        (VIDEO, {"video": len(VIDEO)}),
        (bytes(8) + GAIN_MAP + PHOTO + PHOTO + VIDEO + TRAILER, {
            "gain_map": len(GAIN_MAP), "further_picture": 2 * len(PHOTO), "video": len(VIDEO),
            "trailing_bytes": 8 + len(TRAILER),
        }),
        (b"MotionPhoto_Data" + VIDEO, {"trailing_bytes": 16, "video": len(VIDEO)}),
        (PHOTO[:-30], {"trailing_bytes": len(PHOTO) - 30}),
        (FILE_TYPE + struct.pack(">I4sQ", 1, b"mdat", 24) + bytes(8), {"video": 40}),
        (VIDEO + struct.pack(">I4s", 0, b"mdat") + bytes(99), {"video": len(VIDEO) + 107}),
        (VIDEO + struct.pack(">I4s", 2**31, b"mdat"), {"video": len(VIDEO) + 8}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_the_first_picture_is_taken_and_the_rest_is_listed(kind: str, behind: bytes, expected: dict) -> None:
    data = IMAGES[kind] + behind

    assert left_out(data) == expected
    assert decoded(data).tobytes() == decoded(IMAGES[kind]).tobytes()


def test_a_file_of_several_pictures_is_its_first() -> None:
    data = multi_picture()
    first = Image.open(io.BytesIO(data)).convert("RGB")

    assert set(left_out(data)) == {"further_picture"}
    assert np.array_equal(np.asarray(decoded(data)), np.asarray(first))
    assert left_out(data[: data.index(b"\xff\xd9\xff\xd8") + 2]) == {}


def is_harmless(octets: bytes) -> bool:
    """Return whether no signature of an archive or a document is in `octets`: Hypothesis finds them in the code."""
    return not re.search(rb"%PDF-|Rar!|7z\xbc\xaf|PK", octets)


@settings(max_examples=examples(100))
@given(kind=st.sampled_from(sorted(IMAGES)), behind=st.binary(min_size=1, max_size=60).filter(is_harmless))
def test_every_octet_behind_the_picture_is_counted(kind: str, behind: bytes) -> None:
    assert sum(left_out(IMAGES[kind] + behind).values()) == len(behind)


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("index.html", "<script>alert(1)</script>")
    return out.getvalue()


@pytest.mark.parametrize(
    "behind", [archive(), VIDEO + archive(), b"Rar!\x1a\x07\x01\x00", b"7z\xbc\xaf\x27\x1c\0\4", b"%PDF-1.7"]
)
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_file_that_is_also_an_archive_or_a_document_is_refused(kind: str, behind: bytes) -> None:
    with pytest.raises(PictureRefused, match="archive or a document"):
        inspect(IMAGES[kind] + behind, Limits())


def test_kinds_of_metadata_are_listed_without_their_values() -> None:
    exif = exif_with(artist="Ada Lovelace", make="Camera", place="N", orientation=1)
    photo = encoded(noise(), "JPEG", exif=exif, comment=b"hello", xmp=b"<x/>")
    photo = with_segments(photo, jpeg_segment(0xED, b"Photoshop 3.0\0"), jpeg_segment(0xEB, b"JP\0\1"))

    assert set(inspect(photo, Limits()).metadata) == {
        Metadata.AUTHOR, Metadata.CONTENT_CREDENTIALS, Metadata.DEVICE, Metadata.EXIF, Metadata.IPTC, Metadata.PLACE,
        Metadata.TEXT, Metadata.XMP,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("chunk", "kinds"),
    [
        (png_chunk(b"tEXt", b"Comment\0hello"), {Metadata.TEXT}),
        (png_chunk(b"tEXt", b"Author\0Ada"), {Metadata.AUTHOR}),
        (png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>"), {Metadata.XMP}),
        (png_chunk(b"zTXt", b"Raw profile type iptc\0\0x"), {Metadata.IPTC}),
        (
            png_chunk(b"eXIf", exif_with(artist="Ada").tobytes().removeprefix(b"Exif\0\0")),
            {Metadata.EXIF, Metadata.AUTHOR},
        ),
        (png_chunk(b"caBX", b"jumb"), {Metadata.CONTENT_CREDENTIALS}),
        (png_chunk(b"tIME", bytes(7)), {Metadata.OTHER}),
        (png_chunk(b"pHYs", bytes(9)), set()),
    ],
)
def test_kinds_of_metadata_in_png_files(chunk: bytes, kinds: set[Metadata]) -> None:
    data = IMAGES["png"]

    assert set(inspect(data[:33] + chunk + data[33:], Limits()).metadata) == kinds


def test_what_is_left_out_is_a_value() -> None:
    assert inspect(PHOTO + bytes(3), Limits()).left_out == (LeftOut(LeftOutKind.TRAILING_BYTES, 3),)
