"""Middleware for every request."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from governance.kernel.ids import new_id

HEADER = "X-Request-ID"
META_KEY = "assent.request_id"
SANE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
ECHOED = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?")
ECHOING = "/access/"


def request_id_of(request: HttpRequest) -> str:
    """Return the request's id; empty before the middleware has run."""
    return str(request.META.get(META_KEY, ""))


class RequestIdMiddleware:
    """Gives every request an id, the caller's own if it is sane, and says it in the response.

    Also reads every request as UTF-8 whatever charset it claims (RFC 8259 section 8.1, RFC 6749 appendix B), because
    Python accepts encodings that are not charsets.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(HEADER, "")
        request_id = offered if SANE.fullmatch(offered) else str(new_id())
        request.META[META_KEY] = request_id
        request.encoding = "utf-8"
        response = self.get_response(request)
        # Authorization API 1.0, section 10.1.8: whatever id an enforcement point sends, it finds in the response.
        response[HEADER] = offered if request.path.startswith(ECHOING) and ECHOED.fullmatch(offered) else request_id
        return response
