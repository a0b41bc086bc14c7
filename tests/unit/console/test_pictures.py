"""Small pictures."""

from io import BytesIO

from PIL import Image

from governance.console.pictures import thumbnail


def encoded(size: tuple[int, int], mode: str = "RGB", **options) -> bytes:
    buffer = BytesIO()
    Image.new(mode, size, "teal").save(buffer, **({"format": "PNG"} | options))
    return buffer.getvalue()


def test_a_large_picture_becomes_small_and_keeps_its_shape():
    small = Image.open(BytesIO(thumbnail(encoded((800, 400)), 320)))
    assert (small.format, small.size) == ("WEBP", (320, 160))


def test_a_small_picture_is_not_blown_up():
    assert Image.open(BytesIO(thumbnail(encoded((20, 10)), 320))).size == (20, 10)


def test_transparency_and_grey_are_drawn_too():
    assert Image.open(BytesIO(thumbnail(encoded((20, 10), "LA"), 320))).mode == "RGB"


def test_metadata_of_the_original_is_left_out_and_its_turn_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by a quarter
    exif[0x010E] = "a private remark"
    small = Image.open(BytesIO(thumbnail(encoded((40, 20), format="JPEG", exif=exif), 320)))
    assert small.size == (20, 40)
    assert not small.getexif()
