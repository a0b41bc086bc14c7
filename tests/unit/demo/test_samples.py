import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from governance.demo import samples
from governance.pictures.encoding import encode_png
from tests.factories.images import decoded


def noise(seed: int) -> bytes:
    return encode_png(Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)))


@pytest.mark.parametrize("name", samples.names())
def test_a_photo_and_its_low_resolution_counterpart_fit(name: str) -> None:
    photo, small = decoded(samples.photo_png(name)), decoded(samples.low_resolution_png(name))
    assert photo.size == (small.width * samples.SCALE, small.height * samples.SCALE)
    assert photo.size == decoded(samples.bicubic_png(samples.low_resolution_png(name))).size
    assert min(small.size) >= 150


def test_the_large_picture_is_large_and_made_of_several_photos() -> None:
    mosaic = np.asarray(decoded(samples.large_png()))
    assert mosaic.shape == (1600, 1600, 3)
    assert not np.array_equal(mosaic[:400, :400], mosaic[:400, 400:800])


def test_an_unknown_photo_is_refused() -> None:
    with pytest.raises(samples.SampleMissing):
        samples.photo_png("lena")


@pytest.mark.parametrize(("package", "path"), [("no_such_package", "a.png"), ("skimage", "data/absent.png")])
def test_a_missing_file_is_refused(package: str, path: str) -> None:
    with pytest.raises(samples.SampleMissing):
        samples.packaged_file(package, path)


@given(first=st.integers(0, 99), second=st.integers(100, 199))
def test_psnr_is_symmetric_and_infinite_only_for_equal_pictures(first: int, second: int) -> None:
    assert samples.psnr(noise(first), noise(first)) == math.inf
    assert samples.psnr(noise(first), noise(second)) == samples.psnr(noise(second), noise(first)) < 20


def test_psnr_of_a_known_error() -> None:
    """Every value off by 5: 10·log10(255² / 25) = 34.15 dB."""
    flat = [encode_png(Image.new("RGB", (12, 12), (level,) * 3)) for level in (100, 105)]
    assert samples.psnr(*flat) == pytest.approx(34.1514, abs=1e-4)


def test_psnr_leaves_out_the_border() -> None:
    framed = Image.new("RGB", (12, 12), "white")
    framed.paste("black", (4, 4, 8, 8))
    assert samples.psnr(encode_png(framed), encode_png(Image.new("RGB", (12, 12)))) == math.inf
