"""Parsers of request bodies, with limits that are checked before anything is read.

Django itself refuses JSON and forms of more than DATA_UPLOAD_MAX_MEMORY_SIZE bytes, but does not count uploaded files.
"""

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.utils.datastructures import MultiValueDict
from rest_framework.parsers import DataAndFiles, JSONParser, MultiPartParser
from rest_framework.request import Request

from governance.api.errors import BodyMalformed, BodyTooLarge

if TYPE_CHECKING:
    from django.http.request import _ImmutableQueryDict

MULTIPART_OVERHEAD = 64 * 1024


class ShallowJSONParser(JSONParser):
    """JSON without NaN (RFC 8259 section 6), and not nested deeper than Python can read."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """Return the parsed body. Raises BodyMalformed, or DRF's ParseError."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise BodyMalformed("The body is nested too deeply.") from error


class BoundedMultiPartParser(MultiPartParser):
    """An upload of at most ASSENT_MAX_UPLOAD_BYTES, with some room for other fields; files go to disk as they come."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> "DataAndFiles[_ImmutableQueryDict, MultiValueDict[str, object]]":
        """Return fields and files. Raises BodyTooLarge, or DRF's ParseError.

        Only what is announced has to be looked at: WSGI reads no more than that (PEP 3333).
        """
        limit = settings.ASSENT_MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD
        request = (parser_context or {}).get("request")
        if not isinstance(request, Request) or int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise BodyTooLarge(f"The body may have at most {limit} bytes.", details={"limit": limit})
        return super().parse(stream, media_type, parser_context)
