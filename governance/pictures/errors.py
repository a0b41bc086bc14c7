"""Why a picture is refused. `details["field"]` is the part of an upload that pictures arrive in."""

from collections.abc import Mapping
from typing import Self

from governance.kernel.errors import InvalidInput

UPLOAD_FIELD = "file"


class PictureRefused(InvalidInput):
    """A file is not an acceptable picture; its subclasses say why."""

    code = "picture_refused"
    title = "The image cannot be accepted"

    def __init__(self, message: str, *, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message, details={"field": UPLOAD_FIELD, **(details or {})})


class PictureUnsupported(PictureRefused):
    """The file is of another type, animated, or coded in a way that viewers do not read."""

    code = "media_type_unsupported"
    title = "The kind of image is not supported"

    @classmethod
    def animated(cls) -> Self:
        """Return the error for a file with more than one frame."""
        message = "Animated images are not accepted; a picture has one frame."
        return cls(message, details={"limit": "max_frames", "allowed": 1})


class PictureDamaged(PictureRefused):
    """The file is damaged, cut off, contradicts itself, or is an archive or a document as well."""

    code = "media_undecodable"


class PictureTooLarge(PictureRefused):
    """The picture has too long a side or too many pixels."""

    code = "image_too_large"
    title = "The image is too large"


class PictureTooSmall(PictureRefused):
    """A side of the picture is too short."""

    code = "image_too_small"
    title = "The image is too small"


class PictureTooNarrow(PictureRefused):
    """The picture's longer side is too many times its shorter side."""

    code = "image_too_narrow"
    title = "The image is too narrow"


class PictureTooComplex(PictureRefused):
    """The file has more parts, passes over its pixels or metadata than a picture needs."""

    code = "image_too_complex"
    title = "The image file is too complex"


class ColoursUnusable(PictureRefused):
    """What the file says about its colours is damaged, does not fit its pixels, or cannot be shown in sRGB."""

    code = "image_colours_unusable"
    title = "The image's colours cannot be read"
