"""The one decoder: from the bytes of a file to the canonical picture."""

from typing import Final

import numpy as np
from PIL import Image

from governance.pictures import samples
from governance.pictures.colour import Conversion, conversion
from governance.pictures.limits import Limits
from governance.pictures.png import check_complete
from governance.pictures.samples import Levels, Pulse, Strip
from governance.pictures.structure import read_structure
from governance.pictures.types import Facts, Picture, Structure

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What EXIF's orientation asks for (EXIF 2.32, 4.6.5.1.9)."""
_ON_ITS_SIDE: Final = frozenset({5, 6, 7, 8})


def _nothing() -> None:
    """A pulse for those who need none."""


def pixels_of(data: bytes, limits: Limits) -> int:
    """Return how many pixels a file has, without decoding any. Raises what `structure.read_structure` raises."""
    structure = read_structure(data, limits)
    return structure.width * structure.height


def read_facts(data: bytes, limits: Limits) -> Facts:
    """Return what a file holds, by its structure alone. Raises what `structure.read_structure` raises."""
    return _facts(read_structure(data, limits))


def inspect(data: bytes, limits: Limits, *, pulse: Pulse = _nothing) -> Facts:
    """Return what a file holds, after everything that `decode` checks and more: no pixel may be missing.

    All of it is decoded, and no colour is converted. Raises what `decode` raises.
    """
    structure = read_structure(data, limits)
    conversion(structure)
    if structure.format == "PNG":
        check_complete(structure.essence)
    samples.load(structure, pulse)
    return _facts(structure)


def decode(data: bytes, limits: Limits, *, pulse: Pulse = _nothing) -> Picture:
    """Return the canonical picture of a PNG, JPEG or WebP file; the same bytes give the same pixels.

    Sizes are checked against `limits` before any pixel is decoded. Raises a subclass of PictureRefused: those that
    `structure.read_structure` names, PictureDamaged for pixels that do not decode, and ColoursUnusable for colours
    that cannot be shown in sRGB; and what `pulse` raises.
    """
    structure = read_structure(data, limits)
    change = conversion(structure)
    image = _in_srgb(structure, samples.load(structure, pulse), change, pulse)
    turn = _TURNS.get(structure.orientation)
    if turn is not None:
        pulse()
        image = image.transpose(turn)
    image.info = {}
    return Picture(image, _facts(structure))


def _facts(structure: Structure) -> Facts:
    width, height = structure.width, structure.height
    if structure.orientation in _ON_ITS_SIDE:
        width, height = height, width
    return Facts(structure.media_type, width, height, structure.left_out, structure.metadata)


def _in_srgb(structure: Structure, image: Image.Image, change: Conversion | None, pulse: Pulse) -> Image.Image:
    if structure.palette is not None:
        return _from_palette(structure, image, change, pulse)
    if change is None and structure.transparency is None and image.mode in {"L", "RGB"}:
        return image.copy()
    if change is None and structure.bits == 8 and image.mode in {"LA", "RGBA"}:
        return _without_hidden_colours(image, structure, pulse)
    plain: Image.Image | None = None
    for strip in samples.strips(structure, image, pulse):
        levels = strip.colours.astype(np.uint8, copy=False) if change is None else change(strip.colours)
        finished = _image(levels, strip)
        if plain is None:
            plain = Image.new(finished.mode, image.size)
        plain.paste(finished, (0, strip.top))
    assert plain is not None
    return plain


def _without_hidden_colours(image: Image.Image, structure: Structure, pulse: Pulse) -> Image.Image:
    plain = image.copy()
    for strip in samples.strips(structure, plain, pulse):
        assert strip.alpha is not None
        if strip.alpha.min() == 0:
            plain.paste(_image(strip.colours.astype(np.uint8, copy=False), strip), (0, strip.top))
    return plain


def _image(levels: Levels, strip: Strip) -> Image.Image:
    """Return finished rows: no colour is kept where nothing can be seen of it."""
    pixels = levels
    if strip.alpha is not None:
        pixels = np.concatenate([levels, strip.alpha[..., None]], axis=2)
        pixels[strip.alpha == 0] = 0
    return Image.fromarray(pixels.squeeze(axis=2) if pixels.shape[2] == 1 else np.ascontiguousarray(pixels))


def _from_palette(structure: Structure, image: Image.Image, change: Conversion | None, pulse: Pulse) -> Image.Image:
    """Return a picture of palette indexes in its colours. An index past the end of the palette is black."""
    stated = np.frombuffer(structure.palette or b"", np.uint8).reshape(1, -1, 3)
    shown = stated if change is None else change(stated)
    alphas = np.frombuffer(structure.transparency or b"", np.uint8)
    colours = np.zeros((256, 3 if structure.transparency is None else 4), np.uint8)
    colours[:, 3:] = 255
    colours[: shown.shape[1], :3] = shown[0]
    colours[: len(alphas), 3:] = alphas[:, None]
    if structure.transparency is not None:
        colours[colours[:, 3] == 0] = 0
    return _looked_up(structure, image, colours, pulse)


def _looked_up(structure: Structure, image: Image.Image, colours: Levels, pulse: Pulse) -> Image.Image:
    plain = Image.new("RGB" if colours.shape[1] == 3 else "RGBA", image.size)
    for strip in samples.strips(structure, image, pulse):
        plain.paste(Image.fromarray(colours[strip.colours[..., 0]]), (0, strip.top))
    return plain
