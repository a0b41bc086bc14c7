"""Parsers of request bodies, with limits that are checked before anything is read.

Django itself refuses JSON and forms of more than DATA_UPLOAD_MAX_MEMORY_SIZE bytes, but does not count uploaded files.
"""

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from rest_framework.parsers import DataAndFiles, JSONParser, MultiPartParser
from rest_framework.request import Request

from governance.api.errors import BodyMalformed, BodyTooLarge
from governance.kernel.json_reading import JsonRefused, read_json

if TYPE_CHECKING:
    from django.http.request import _ImmutableQueryDict

    Form: TypeAlias = DataAndFiles[_ImmutableQueryDict, MultiValueDict[str, UploadedFile[bytes]]]

MULTIPART_OVERHEAD = 64 * 1024


class StrictJSONParser(JSONParser):
    """JSON that no gateway before us can have understood differently; see `kernel.json_reading`."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Any:
        """Return the parsed body. Raises BodyMalformed, which names the place."""
        try:
            return read_json(stream.read())
        except JsonRefused as refusal:
            about = {"field": refusal.place} if refusal.place else {}
            raise BodyMalformed(f"The body cannot be read: {refusal}.", details=about) from refusal


class BoundedMultiPartParser(MultiPartParser):
    """An upload of at most ASSENT_MAX_UPLOAD_BYTES, with some room for other fields; files go to disk as they come.

    A field that is sent twice is refused, as in JSON.
    """

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> "Form":
        """Return fields and files. Raises BodyTooLarge, BodyMalformed, or DRF's ParseError.

        Only what is announced has to be looked at: WSGI reads no more than that (PEP 3333).
        """
        limit = settings.ASSENT_MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD
        request = (parser_context or {}).get("request")
        if not isinstance(request, Request) or int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise BodyTooLarge(f"The body may have at most {limit} bytes.", details={"limit": limit})
        parsed = super().parse(stream, media_type, parser_context)
        repeated = _repeated(parsed)
        if repeated is not None:
            for file in (file for _, files in parsed.files.lists() for file in files):
                file.close()
            raise BodyMalformed(f"The field '{repeated}' was sent more than once.", details={"field": repeated})
        return parsed


def _repeated(parsed: "Form") -> str | None:
    names = [name for part in (parsed.data, parsed.files) for name, values in part.lists() for _ in values]
    return next((name for index, name in enumerate(names) if name in names[:index]), None)
