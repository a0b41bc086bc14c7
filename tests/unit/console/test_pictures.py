"""Small pictures."""

from io import BytesIO

import numpy as np
from PIL import Image

from governance.console.pictures import thumbnail
from tests.factories.pictures import gama, png_of


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


def test_colours_that_nobody_sees_are_in_no_thumbnail():
    logo = Image.new("RGBA", (800, 400), (255, 0, 255, 0))
    logo.paste((20, 90, 200, 255), (200, 100, 600, 300))
    buffer = BytesIO()
    logo.save(buffer, "PNG")

    small = Image.open(BytesIO(thumbnail(buffer.getvalue(), 320)))

    assert (small.mode, small.getpixel((2, 2))[3], small.getpixel((160, 80))[3]) == ("RGBA", 0, 255)
    on_white = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
    assert max(red for red, _, _ in on_white.convert("RGB").crop((75, 60, 245, 100)).get_flattened_data()) == 255
    assert min(green for _, green, _ in on_white.convert("RGB").get_flattened_data()) > 60


def test_sixteen_bits_are_scaled_and_profiles_applied_in_thumbnails():
    deep = np.full((40, 40, 3), 0x8080)

    plain = Image.open(BytesIO(thumbnail(png_of(deep, depth=16), 320)))
    light = Image.open(BytesIO(thumbnail(png_of(deep, gama(1.0), depth=16), 320)))

    assert abs(plain.getpixel((20, 20))[0] - 128) <= 2
    assert abs(light.getpixel((20, 20))[0] - 188) <= 2
