"""How large and how complicated a picture may be. All of it is known before a pixel is decoded."""

from dataclasses import dataclass, fields, replace
from typing import Final, Self

from governance.pictures.errors import PictureTooComplex, PictureTooLarge, PictureTooNarrow, PictureTooSmall

MAX_OUTPUT_PIXELS: Final = 24_000_000
"""A picture of 6 megapixels at twice the size, which keeps two cores busy for twenty seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is accepted. Lengths are in pixels, of the picture as the file stores it."""

    min_side: int = 8
    """Smaller pictures are tracking pixels and broken exports, of no use to any model."""
    max_edge: int = 16_384
    """The longest side; WebP cannot hold more than 16,383."""
    max_ratio: int = 20
    """How many times the shorter side the longer one may be."""
    max_pixels: int = 20_000_000
    max_parts: int = 10_000
    """Segments of a JPEG or chunks of a PNG or WebP file, with those of further pictures behind the first."""
    max_scans: int = 64
    """Scans of a JPEG; encoders write about ten."""
    max_scan_pixels: int = 320_000_000
    """Scans times pixels: each scan costs a decoder another pass over the whole picture."""
    max_metadata_bytes: int = 4 * 1024 * 1024
    """A colour profile after decompression. Profiles of printing presses have up to 3 MB."""

    def narrowed(self, **others: int | None) -> Self:
        """Return these limits with each of `others` that is stricter in its place; None changes nothing."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        tighter = {name: min(values[name], value) for name, value in others.items() if value is not None}
        return type(self)(**(values | tighter))

    def check_size(self, width: int, height: int) -> None:
        """Raise PictureTooSmall, PictureTooLarge or PictureTooNarrow for a size out of bounds."""
        short, long = sorted((width, height))
        if short < self.min_side:
            raise PictureTooSmall(
                f"The image is {width} × {height}; it must be at least {self.min_side} pixels wide and high.",
                details=_found("min_side", self.min_side, short),
            )
        if long > self.max_edge:
            raise PictureTooLarge(
                f"The image is {width} × {height}; no side may be longer than {self.max_edge} pixels.",
                details=_found("max_edge", self.max_edge, long),
            )
        if long > self.max_ratio * short:
            raise PictureTooNarrow(
                f"The image is {width} × {height}; one side may be at most {self.max_ratio} times the other.",
                details=_found("max_ratio", self.max_ratio, -(-long // short)),
            )
        if width * height > self.max_pixels:
            raise PictureTooLarge(
                f"The image has {width * height} pixels; at most {self.max_pixels} are accepted.",
                details=_found("max_pixels", self.max_pixels, width * height),
            )

    def check_scans(self, scans: int, width: int, height: int) -> None:
        """Raise PictureTooComplex for a JPEG with too many scans for its size."""
        most = min(self.max_scans, max(1, self.max_scan_pixels // (width * height)))
        if scans > most:
            raise PictureTooComplex(
                f"The JPEG file has {scans} scans; at most {most} are accepted at its size.",
                details=_found("max_scans", most, scans),
            )

    def check_metadata(self, size: int, what: str) -> None:
        """Raise PictureTooComplex for `what`, a part of the metadata with `size` bytes, that is too large."""
        if size > self.max_metadata_bytes:
            raise PictureTooComplex(
                f"{what} has more than {self.max_metadata_bytes} bytes.",
                details=_found("max_metadata_bytes", self.max_metadata_bytes, size),
            )


class PartCounter:
    """Counts the parts of one file while it is walked, so that the walk itself is bounded."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.max_parts
        self._found = 0

    def count(self) -> None:
        """Count one part. Raises PictureTooComplex for one too many."""
        self._found += 1
        if self._found > self._most:
            raise PictureTooComplex(
                f"The image file has more than {self._most} segments or chunks.",
                details=_found("max_parts", self._most, self._found),
            )


OUTPUT_LIMITS: Final = Limits(min_side=1, max_edge=32_768, max_ratio=32_768, max_pixels=MAX_OUTPUT_PIXELS)
"""What models may produce. Obligations make pictures as small as policy asks for."""
STORED_LIMITS: Final = replace(OUTPUT_LIMITS, max_pixels=80_000_000)
"""What may be in storage: outputs had up to 80 million pixels before version 0.3."""


def _found(limit: str, allowed: int, found: int) -> dict[str, object]:
    return {"limit": limit, "allowed": allowed, "found": found}
