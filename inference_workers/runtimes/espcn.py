"""The super-resolution network: a small sub-pixel convolution net that learns what bicubic leaves out.

After Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
Network" (CVPR 2016): all convolutions run at the low resolution, and a pixel shuffle puts the sub-pixels in place. Here
the net adds to a fixed bicubic interpolation, and its last layer starts at zero, so an untrained net is bicubic.

No layer pads. The caller repeats the border `radius` pixels outwards instead, so that every output pixel depends on the
same neighbourhood whether the picture is computed whole or in tiles.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

CHANNELS: Final = 3
KERNEL_RADIUS: Final = 2
"""Low-resolution pixels that the bicubic kernel reaches on either side."""
KEYS_A: Final = -0.5
"""Free parameter of Keys' cubic kernel (IEEE Trans. ASSP 29(6), 1981, equation 15); Pillow's BICUBIC uses the same."""


@dataclass(frozen=True, slots=True)
class EspcnConfig:
    """Shape of a net: `scale` of the enlargement, `features` per layer, `layers` between the first and the last one."""

    scale: int
    features: int
    layers: int

    @property
    def radius(self) -> int:
        """Low-resolution pixels that an output pixel depends on, on either side: one for each 3x3 convolution."""
        return self.layers + 2


class Espcn(nn.Module):
    """Enlarges RGB pictures in [0, 1] by `config.scale`; input is larger by `config.radius` pixels on every side."""

    bicubic: Tensor

    def __init__(self, config: EspcnConfig) -> None:
        super().__init__()
        self.config = config
        widths = [CHANNELS, *[config.features] * (config.layers + 1)]
        self.features = nn.ModuleList(nn.Conv2d(before, after, kernel_size=3) for before, after in pairwise(widths))
        self.subpixels = nn.Conv2d(config.features, CHANNELS * config.scale**2, kernel_size=3)
        self.shuffle = nn.PixelShuffle(config.scale)
        self.register_buffer("bicubic", _bicubic_weights(config.scale), persistent=False)
        self._start_at_bicubic()

    def forward(self, padded: Tensor) -> Tensor:
        """Return (N, 3, H·scale, W·scale) for an input of (N, 3, H + 2·radius, W + 2·radius)."""
        detail = padded
        for layer in self.features:
            detail = torch.relu(layer(detail))
        enlarged: Tensor = self.shuffle(self.subpixels(detail) + self.interpolate(padded))
        return enlarged

    def interpolate(self, padded: Tensor) -> Tensor:
        """Return the bicubic enlargement before the shuffle: (N, 3·scale², H, W)."""
        spare = self.config.radius - KERNEL_RADIUS
        inner = padded[..., spare : padded.shape[-2] - spare, spare : padded.shape[-1] - spare]
        return nn.functional.conv2d(inner, self.bicubic, groups=CHANNELS)

    def _start_at_bicubic(self) -> None:
        """Scale the hidden layers for ReLU (He et al., ICCV 2015, equation 10) and silence the last one."""
        for name, parameter in self.named_parameters():
            if parameter.ndim == 1 or name == "subpixels.weight":
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")


def _bicubic_weights(scale: int) -> Tensor:
    """Return the kernel of each sub-pixel, (3·scale², 1, 5, 5), in the channel order that PixelShuffle expects."""
    reach = torch.arange(-KERNEL_RADIUS, KERNEL_RADIUS + 1, dtype=torch.float64)
    shifts = (torch.arange(scale, dtype=torch.float64) + 0.5) / scale - 0.5
    taps = _keys(reach[None, :] - shifts[:, None])
    phases = taps[:, None, :, None] * taps[None, :, None, :]
    size = 2 * KERNEL_RADIUS + 1
    return phases.reshape(scale**2, 1, size, size).repeat(CHANNELS, 1, 1, 1).float()


def _keys(distance: Tensor) -> Tensor:
    """Return Keys' cubic convolution kernel at `distance` pixels."""
    x = distance.abs()
    near = (KEYS_A + 2) * x**3 - (KEYS_A + 3) * x**2 + 1
    far = KEYS_A * (x**3 - 5 * x**2 + 8 * x - 4)
    return torch.where(x <= 1, near, torch.where(x < 2, far, torch.zeros_like(x)))
