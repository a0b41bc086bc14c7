import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from governance.pictures.encoding import encode_png, encode_webp
from governance.pictures.resampling import fit
from governance.pictures.types import TextChunk
from tests.factories.images import decoded, noise


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_png_says_that_it_is_srgb_and_nothing_else() -> None:
    image = noise()
    image.info = {"icc_profile": b"profile", "exif": b"Exif", "transparency": 3, "comment": "secret"}

    assert opened(encode_png(image)).info == {"srgb": 0}


def test_png_carries_text_chunks_in_both_encodings() -> None:
    text = [TextChunk("Copyright", "Ada"), TextChunk("note", "Zoë", international=True)]

    stored = encode_png(noise(), text=text)

    assert opened(stored).info == {"srgb": 0, "Copyright": "Ada", "note": "Zoë"}
    assert stored.count(b"tEXt") == stored.count(b"iTXt") == 1


@given(seed=st.integers(0, 2**16), width=st.integers(1, 9), height=st.integers(1, 9))
def test_png_keeps_every_pixel_and_is_deterministic(seed: int, width: int, height: int) -> None:
    pixels = np.random.default_rng(seed).integers(1, 256, (height, width, 4), dtype=np.uint8)
    stored = encode_png(Image.fromarray(pixels))

    assert np.array_equal(np.asarray(decoded(stored)), pixels)
    assert stored == encode_png(Image.fromarray(pixels))


@pytest.mark.parametrize(("mode", "kept"), [("L", "RGB"), ("RGB", "RGB"), ("LA", "RGBA"), ("RGBA", "RGBA")])
def test_webp_keeps_transparency(mode: str, kept: str) -> None:
    image = opened(encode_webp(noise(mode=mode).resize((9, 7)) if mode[-1] != "A" else Image.new(mode, (9, 7))))

    assert (image.format, image.mode, image.size) == ("WEBP", kept, (9, 7))
    assert "icc_profile" not in image.info


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_cannot_be_seen_does_not_bleed_into_what_can(mode: str) -> None:
    picture = Image.new("RGBA", (64, 64), (255, 0, 255, 0))
    picture.paste((0, 90, 0, 255), (21, 0, 43, 64))

    small = np.asarray(fit(picture.convert(mode), 16)).astype(int)

    seen = small[small[..., -1] > 32]
    expected = np.asarray(Image.new("RGB", (1, 1), (0, 90, 0)).convert("RGBA").convert(mode))[0, 0, :-1]
    assert np.abs(seen[:, :-1] - expected).max() <= 6
    assert (small[small[..., -1] == 0] == 0).all()


def test_a_small_picture_is_not_enlarged() -> None:
    assert fit(noise(), 32).size == (32, 24)
