"""Checks of a request before its body is read."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from governance.api.handlers import is_for_api
from governance.api.problems import known, respond


class LengthMiddleware:
    """Refuses bodies of unannounced length (RFC 9110 section 15.5.12): WSGI would show them as empty (PEP 3333)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_for_api(request) and "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH"):
            return respond(request, known("length_required", "Send the body with a Content-Length, not in chunks."))
        return self.get_response(request)
