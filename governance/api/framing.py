"""Checks of a request before its body is read, and what becomes of a value that nothing can hold."""

import logging
from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from governance.api.errors import ValueImpossible
from governance.api.handlers import bad_request, is_for_api, page_not_found
from governance.api.problems import known, respond

logger = logging.getLogger(__name__)

_NUL = "%00"


class LengthMiddleware:
    """Refuses bodies of unannounced length (RFC 9110 section 15.5.12): WSGI would show them as empty (PEP 3333)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_for_api(request) and "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH"):
            return respond(request, known("length_required", "Send the body with a Content-Length, not in chunks."))
        return self.get_response(request)


class ValueMiddleware:
    """Answers a value that cannot exist as the caller's error, wherever it is noticed.

    The character NUL in a URL (RFC 3986 section 7.3) names nothing: neither PostgreSQL's text nor a file name can hold
    it. What the database alone finds out and nobody caught, such as a number out of its range, is answered here, once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path:
            return page_not_found(request, Http404("No address contains the character NUL."))
        # The API's views name the parameter that is wrong.
        if not is_for_api(request) and _NUL in request.META.get("QUERY_STRING", ""):
            return bad_request(request, ValueImpossible("The query contains the character NUL."))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        """Return the answer to a value out of range; None for any other error."""
        if not isinstance(error, DataError | ValidationError):
            return None
        logger.warning("a value was out of range at %s %s", request.method, request.path, exc_info=error)
        return bad_request(request, ValueImpossible("A value is not of the kind or range that is expected here."))
