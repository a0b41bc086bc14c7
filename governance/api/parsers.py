"""Reading of request bodies, with limits that hold before anything is read.

Django itself refuses JSON and forms of more than DATA_UPLOAD_MAX_MEMORY_SIZE bytes; uploaded files do not count there.
"""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import JSONParser, MultiPartParser

from governance.api.errors import BodyMalformed, BodyTooLarge

MULTIPART_OVERHEAD = 64 * 1024


class ShallowJSONParser(JSONParser):
    """JSON without NaN (RFC 8259 section 6) that is not nested so deep that it cannot be read."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the parsed body. Raises BodyMalformed, or DRF's ParseError."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise BodyMalformed("The body is nested too deeply.") from error


class BoundedMultiPartParser(MultiPartParser):
    """An upload of at most ASSENT_MAX_UPLOAD_BYTES, with some room for other fields; files go to disk as they come."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return fields and files. Raises BodyTooLarge, or DRF's ParseError.

        Only what is announced has to be looked at: WSGI reads no more than that (PEP 3333).
        """
        limit = settings.ASSENT_MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD
        if int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0) > limit:
            raise BodyTooLarge(f"The body may have at most {limit} bytes.", details={"limit": limit})
        return super().parse(stream, media_type, parser_context)
