"""Reading of request bodies, with limits that hold before anything is read."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser

from governance.api.errors import BodyMalformed, BodyTooLarge

FORM_LIMIT = 64 * 1024
MULTIPART_OVERHEAD = 64 * 1024


def _refuse_large(parser_context: Mapping[str, Any] | None, limit: int) -> None:
    """Raise BodyTooLarge if more is announced; WSGI reads no more than is announced (PEP 3333)."""
    request = (parser_context or {})["request"]
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdecimal():
        raise BodyMalformed("Content-Length is not a number.")
    if len(announced) > len(str(limit)) or int(announced) > limit:
        raise BodyTooLarge(f"The body may have at most {limit} bytes.", details={"limit": limit})


class BoundedJSONParser(JSONParser):
    """JSON of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes, of sane depth, without NaN (RFC 8259 section 6)."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the parsed body. Raises BodyTooLarge, BodyMalformed, or DRF's ParseError."""
        _refuse_large(parser_context, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise BodyMalformed("The body is nested too deeply.") from error


class BoundedFormParser(FormParser):
    """A form of at most 64 KiB."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the form's fields. Raises BodyTooLarge."""
        _refuse_large(parser_context, FORM_LIMIT)
        return super().parse(stream, media_type, parser_context)


class BoundedMultiPartParser(MultiPartParser):
    """An upload of at most ASSENT_MAX_UPLOAD_BYTES, with some room for other fields; files go to disk as they come."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return fields and files. Raises BodyTooLarge, or DRF's ParseError."""
        _refuse_large(parser_context, settings.ASSENT_MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD)
        return super().parse(stream, media_type, parser_context)
