"""Answers to errors outside the views of the API, and to unexpected ones."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults

from governance.api.problems import known, problem_of, respond

API_PREFIX = ("/api/", "/access/", "/log/", "/opa/", "/.well-known/", "/healthz", "/readyz")


def is_for_api(request: HttpRequest) -> bool:
    """Return whether the answer should be one of the API."""
    return request.path.startswith(API_PREFIX)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a request that Django refused to read."""
    if is_for_api(request):
        return respond(request, problem_of(exception) or known("bad_request", "The request cannot be understood."))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what Django itself forbids."""
    if is_for_api(request):
        return respond(request, known("permission_denied", "This is not permitted."))
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a URL without a resource."""
    if is_for_api(request):
        return respond(request, known("not_found", "There is nothing at this URL."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an unexpected error without details; Django has logged it."""
    if is_for_api(request):
        detail = "This is an error of the server, and it was logged. Include the request id when you report it."
        return respond(request, known("internal_error", detail))
    return defaults.server_error(request)
