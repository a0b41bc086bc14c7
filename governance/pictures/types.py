"""Values about pictures."""

from dataclasses import dataclass, field
from enum import StrEnum

from PIL import Image


class LeftOutKind(StrEnum):
    """What a file holds behind its picture, and what is therefore not looked at, computed on or handed out."""

    GAIN_MAP = "gain_map"
    FURTHER_PICTURE = "further_picture"
    VIDEO = "video"
    TRAILING_BYTES = "trailing_bytes"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One kind of content that was left out, with the number of its bytes."""

    kind: LeftOutKind
    size: int


class Metadata(StrEnum):
    """Kinds of metadata in a file. They stay in the stored original and are in nothing that is derived from it."""

    EXIF = "exif"
    PLACE = "place"
    AUTHOR = "author"
    DEVICE = "device"
    THUMBNAIL = "thumbnail"
    XMP = "xmp"
    IPTC = "iptc"
    TEXT = "text"
    COLOUR_PROFILE = "colour_profile"
    CONTENT_CREDENTIALS = "content_credentials"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Chromaticities:
    """The x and y of white, red, green and blue (CIE 1931)."""

    white: tuple[float, float]
    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ColourStatements:
    """All that a file says about its colours. Which of it counts is decided in `colour`.

    `cicp` holds primaries, transfer, matrix and full-range flag (ITU-T H.273); `gamma` is the gAMA value, 1/exponent.
    """

    cicp: tuple[int, int, int, int] | None = None
    profile: bytes | None = None
    srgb: bool = False
    gamma: float | None = None
    chromaticities: Chromaticities | None = None


@dataclass(frozen=True, slots=True)
class Structure:
    """What the walk over a file found, before any pixel is decoded.

    `width` and `height` are those of the stored pixels; `orientation` is EXIF's, 1 to 8. `bits` and `channels` are
    those of the samples, a palette's index counting as one channel. `essence` is a file of the same format with the
    pixels and nothing else: the decoder gets to see no metadata and nothing that was left out. `palette` and
    `transparency` are the contents of PNG's PLTE and tRNS.
    """

    format: str
    media_type: str
    width: int
    height: int
    bits: int
    channels: int
    essence: bytes
    orientation: int = 1
    palette: bytes | None = None
    transparency: bytes | None = None
    colours: ColourStatements = field(default_factory=ColourStatements)
    left_out: tuple[LeftOut, ...] = ()
    metadata: tuple[Metadata, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file holds, in the words of those who look at it: `width` and `height` are as seen, in pixels."""

    media_type: str
    width: int
    height: int
    left_out: tuple[LeftOut, ...] = ()
    metadata: tuple[Metadata, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """The canonical picture of a file, and what was found in it.

    `image` is upright, in sRGB, in mode L, LA, RGB or RGBA with 8 bits a channel; its colours are not multiplied by
    alpha, and are 0 wherever alpha is 0. It carries no metadata.
    """

    image: Image.Image
    facts: Facts


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A PNG text chunk (PNG third edition, 11.3.3): tEXt, or iTXt in UTF-8 when `international`."""

    keyword: str
    text: str
    international: bool = False
