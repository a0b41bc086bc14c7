"""The structure of a file, whatever its type: found by its content, walked whole before a pixel is decoded."""

from typing import Final

from governance.pictures.errors import PictureUnsupported
from governance.pictures.jpeg import read_jpeg
from governance.pictures.jpeg_segments import START as JPEG_START
from governance.pictures.left_out import second_nature
from governance.pictures.limits import Limits
from governance.pictures.png import SIGNATURE as PNG_SIGNATURE
from governance.pictures.png import read_png
from governance.pictures.types import Structure
from governance.pictures.webp import read_webp

_ZIP_TAIL_BYTES: Final = 65_535 + 22
_PDF_HEAD_BYTES: Final = 1024
_ARCHIVES: Final = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")


def read_structure(data: bytes, limits: Limits) -> Structure:
    """Walk a whole file and return what it holds.

    Raises PictureUnsupported for other types and for animation; PictureDamaged for a damaged structure, a missing end,
    or a file that is also an archive or a document; PictureTooLarge, PictureTooSmall, PictureTooNarrow or
    PictureTooComplex for what exceeds `limits`; ColoursUnusable for a damaged statement about colours.
    """
    if data.startswith(PNG_SIGNATURE):
        found = read_png(data, limits)
    elif data.startswith(JPEG_START):
        found = read_jpeg(data, limits)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        found = read_webp(data, limits)
    else:
        raise PictureUnsupported("Only PNG, JPEG and WebP images are accepted; the content is none of these.")
    _refuse_second_nature(data)
    return found


def _refuse_second_nature(data: bytes) -> None:
    """Refuse a file that a reader of archives or documents would also open.

    ZIP readers search for the end record from the back (APPNOTE 4.3.16, at most a 65,535-byte comment after it), those
    of RAR and 7z for their signatures; PDF readers accept a header anywhere in the first 1,024 bytes (ISO 32000-1,
    annex H.3, note 13).
    """
    is_zip = data.rfind(b"PK\x05\x06", max(0, len(data) - _ZIP_TAIL_BYTES)) >= 0 and b"PK\x01\x02" in data
    if is_zip or any(each in data for each in _ARCHIVES) or b"%PDF-" in data[:_PDF_HEAD_BYTES]:
        raise second_nature()
