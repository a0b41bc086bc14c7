"""Every photograph in the installed packages, found by its content: what moderation must take for harmless."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

READABLE: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
SMALLEST_EDGE: Final = 64
"""Pixels. What is smaller is an icon."""
SMALLEST_FILE: Final = 2_048
SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
SIZES: Final = (256, 512, 1024, 2048, 4096)
"""Longer edges in pixels at which each crop of a photograph is looked at."""
THUMBNAIL: Final = 16
"""Edge of the thumbnails that tell whether two files show the same."""
ALIKE: Final = 8
"""Levels that thumbnails of the same picture differ by on average at most: one file may be a copy at low quality."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture in an installed package: `name` is its path there."""

    name: str
    picture: Image.Image


def photographs() -> Iterator[Photograph]:
    """Yield each picture of a sensible size once, by the names of the packages and files.

    Drawings are among them: whoever uploads does not know what a moderator takes for a photograph.
    """
    shown: list[NDArray[np.int16]] = []
    for path in _files():
        picture = _opened(path)
        if picture is None or min(picture.size) < SMALLEST_EDGE:
            continue
        look = np.asarray(picture.resize((THUMBNAIL, THUMBNAIL))).astype(np.int16)
        if all(np.abs(look - other).mean() > ALIKE for other in shown):
            shown.append(look)
            yield Photograph("/".join(path.parts[-3:]), picture)
    yield from _faces()


def variants(picture: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """Yield three crops of a picture at five sizes, each with its name."""
    width, height = picture.size
    crops = {
        "whole": (0, 0, width, height),
        "centre": (width // 4, height // 4, width - width // 4, height - height // 4),
        "corner": (width * 2 // 5, height * 2 // 5, width, height),
    }
    for name, box in crops.items():
        crop = picture.crop(box)
        for size in SIZES:
            ratio = size / max(crop.size)
            edges = (max(8, round(crop.width * ratio)), max(8, round(crop.height * ratio)))
            yield f"{name} at {size}", crop.resize(edges, Image.Resampling.LANCZOS)


def file_of(picture: Image.Image) -> bytes:
    """Return a picture as a JPEG file of high quality, which is encoded and decoded much faster than PNG."""
    out = BytesIO()
    picture.save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def _files() -> list[Path]:
    found: dict[str, Path] = {}
    for distribution in distributions():
        for file in distribution.files or ():
            path = Path(str(file.locate()))
            if path.suffix.lower() in SUFFIXES and path.is_file() and path.stat().st_size >= SMALLEST_FILE:
                found[str(file)] = path
    return [found[name] for name in sorted(found)]


def _opened(path: Path) -> Image.Image | None:
    try:
        with Image.open(path, formats=READABLE) as image:
            image.load()
            return _on_white(image)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        image = Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("RGB")
    coloured = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), coloured).convert("RGB")


def _faces() -> Iterator[Photograph]:
    """Yield some faces of scikit-image's excerpt from Labeled Faces in the Wild, 25 by 25 pixels each."""
    for path in [path for path in _arrays() if path.name == "lfw_subset.npy"]:
        for number, face in enumerate(np.load(path)[:100:10]):
            levels = (np.asarray(face) * 255).clip(0, 255).astype(np.uint8)
            yield Photograph(f"{path.name} {number}", Image.fromarray(levels).convert("RGB"))


def _arrays() -> list[Path]:
    return [
        Path(str(file.locate()))
        for distribution in distributions()
        for file in distribution.files or ()
        if file.suffix == ".npy"
    ]
