"""Pictures with transparency for networks of three channels.

A network sees colours multiplied by their alpha, as on black: what cannot be seen has no part in what can. Its result
is divided by the enlarged alpha. Both are done in strips, because whole copies of a large picture do not fit.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels: TypeAlias = NDArray[np.uint8]

STRIP_PIXELS: Final = 1_000_000


def colours_of(source: Image.Image) -> Pixels:
    """Return a canonical picture as (h, w, 3), its colours multiplied by alpha."""
    if source.mode not in {"LA", "RGBA"}:
        return np.asarray(source.convert("RGB"))
    return np.asarray(source.convert("RGBA").convert("RGBa"))[..., :3]


def like(source: Image.Image, colours: Pixels, heartbeat: Callable[[], None]) -> Image.Image:
    """Return enlarged `colours` as a picture in the mode of `source`; `heartbeat` is called before each strip.

    Transparency is enlarged by bicubic interpolation.
    """
    height, width = colours.shape[:2]
    alpha = source.getchannel("A").resize((width, height), Image.Resampling.BICUBIC) if _is_clear(source) else None
    finished = Image.new(source.mode, (width, height))
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        heartbeat()
        part = colours[top : top + rows]
        if alpha is not None:
            part = _divided(part, np.asarray(alpha.crop((0, top, width, top + len(part)))))
        finished.paste(_in_mode(part, source.mode), (0, top))
    return finished


def _is_clear(source: Image.Image) -> bool:
    return source.mode in {"LA", "RGBA"}


def _divided(colours: Pixels, alpha: Pixels) -> Pixels:
    """Return (h, w, 4) colours and alpha; no colour is larger than its alpha allows, and none is left without one."""
    multiplied = np.concatenate([np.minimum(colours, alpha[..., None]), alpha[..., None]], axis=2)
    height, width = alpha.shape
    picture = Image.frombytes("RGBa", (width, height), multiplied.tobytes())
    divided: Pixels = np.asarray(picture.convert("RGBA"))
    return divided


def _in_mode(part: Pixels, mode: str) -> Image.Image:
    if mode in {"RGB", "RGBA"}:
        return Image.fromarray(np.ascontiguousarray(part))
    grey = np.rint(part[..., :3].mean(axis=2)).astype(np.uint8)
    return Image.fromarray(grey if mode == "L" else np.stack([grey, part[..., 3]], axis=2))
