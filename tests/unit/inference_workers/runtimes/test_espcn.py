import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inference_workers.runtimes.espcn import KERNEL_RADIUS, Espcn, EspcnConfig
from tests.effort import examples


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_an_untrained_network_is_bicubic(scale: int) -> None:
    """Compared with Pillow's filter in floating point, apart from the border, which Pillow treats otherwise."""
    network = Espcn(EspcnConfig(scale=scale, features=4, layers=1))
    channel = np.random.default_rng(3).random((20, 17), dtype=np.float32)
    expected = np.asarray(Image.fromarray(channel).resize((17 * scale, 20 * scale), Image.Resampling.BICUBIC))
    padded = torch.from_numpy(np.pad(channel, network.config.radius, mode="edge"))
    with torch.inference_mode():
        result = network(padded.expand(1, 3, *padded.shape))[0]
    inner = slice(KERNEL_RADIUS * scale, -KERNEL_RADIUS * scale)
    assert np.allclose(result[:, inner, inner].numpy(), expected[inner, inner], atol=1e-5)


@settings(max_examples=examples(20))
@given(height=st.integers(1, 12), width=st.integers(1, 12), layers=st.integers(0, 3), scale=st.integers(2, 4))
def test_output_size_follows_from_input_size(height: int, width: int, layers: int, scale: int) -> None:
    network = Espcn(EspcnConfig(scale=scale, features=2, layers=layers))
    spare = 2 * network.config.radius
    with torch.inference_mode():
        result = network(torch.zeros(1, 3, height + spare, width + spare))
    assert result.shape == (1, 3, height * scale, width * scale)
