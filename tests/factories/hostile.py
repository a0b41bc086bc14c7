"""Hostile and odd files of every kind, made by rule: the same call gives the same files.

`corpus` is what `make bench-hostile` uploads and runs; its short form runs in the tests. A file is made when it is
asked for, since some are tens of megabytes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from PIL import Image

from tests.factories import odd_colours, odd_files, odd_sizes
from tests.factories.odd_scenes import Make, Named, jpeg


@dataclass(frozen=True)
class OddFile:
    """One file of the corpus: its kind, its name within it, and how it is made.

    `small` ones are in the short form. `harmless` ones show a photograph that nobody would object to.
    """

    kind: str
    name: str
    make: Make
    small: bool = False
    harmless: bool = False


def corpus(photographs: Iterable[tuple[str, Image.Image]] = ()) -> list[OddFile]:
    """Return all files. The harmless photographs come from outside: which there are depends on what is installed."""
    files = [OddFile(kind, name, make, small=name in SHORT.get(kind, ())) for kind, name, make in _all()]
    files += [OddFile("photograph", name, partial(jpeg, picture), harmless=True) for name, picture in photographs]
    return files


def short_corpus() -> list[OddFile]:
    """Return some thirty small files, at least one of nearly every kind."""
    return [file for file in corpus() if file.small]


#: By kind, the files of the short form.
SHORT: dict[str, tuple[str, ...]] = {
    "flood": ("JPEG, 20000 empty comments", "PNG, 20000 empty chunks"),
    "bomb": ("PNG header of 30000 × 30000", "compressed profile of 64 MB"),
    "thin": ("RGB 8 × 2000",),
    "16 bits": ("RGBA",),
    "palette": ("2 bits, transparent", "indexes past the end"),
    "colour": ("curve of near-white", "cICP P3", "CMYK profile in RGB"),
    "JPEG colour": ("CMYK", "grey"),
    "phone": ("gain map", "motion photo", "trailing zeros"),
    "polyglot": ("JPEG and ZIP", "PNG and PDF"),
    "cut": ("PNG at 50 %", "JPEG at 50 %", "WebP at 50 %"),
    "damaged": ("wrong checksum of IDAT", "JPEG, bits turned 3"),
    "animation": ("APNG", "GIF"),
    "other": ("nothing", "SVG", "TIFF"),
    "turned": ("orientation 6", "orientation 0"),
    "transparency": ("all clear",),
    "no size": ("PNG 0 × 10",),
    "scans": ("progressive",),
    "interlaced": ("RGB",),
}


def _all() -> Iterator[tuple[str, str, Make]]:
    kinds: dict[str, Callable[[], Named]] = {
        "flood": odd_sizes.floods,
        "bomb": odd_sizes.bombs,
        "thin": odd_sizes.thin,
        "16 bits": odd_colours.sixteen_bits,
        "palette": odd_colours.palettes,
        "colour": odd_colours.colours,
        "JPEG colour": odd_colours.jpeg_colours,
        "phone": odd_files.phones,
        "polyglot": odd_files.polyglots,
        "cut": odd_files.cut,
        "damaged": odd_files.damaged,
        "animation": odd_files.animations,
        "other": odd_files.others,
        "turned": odd_colours.turned,
        "transparency": odd_colours.transparent,
        "no size": odd_sizes.no_sizes,
        "scans": odd_sizes.scans,
        "interlaced": odd_sizes.interlaced,
        "tiny": odd_sizes.tiny,
        "large": odd_sizes.large,
    }
    for kind, named in kinds.items():
        for name, make in named():
            yield kind, name, make
