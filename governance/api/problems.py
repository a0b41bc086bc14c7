"""Errors as problem details (RFC 9457). Nowhere else are errors mapped to HTTP.

Members besides the RFC's: `code` (stable, also the last part of `type`), `request_id`, `errors` (one for each field
that is not valid: `field`, `code`, `message`), and the `details` of an error that has some.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypedDict

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView

from governance.api.authentication import CHALLENGE
from governance.api.errors import BodyMalformed, BodyTooLarge, DatabaseUnavailable, TooManyRequests, ValueImpossible
from governance.api.middleware import request_id_of
from governance.kernel import errors

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/api/problems/"
RETRY_SECONDS = 5
NOT_AUTHENTICATED = "Send the header 'Authorization: Bearer TOKEN' with an access token from /api/v1/oauth/token."

STATUS_OF_CATEGORY: dict[type[errors.GovernanceError], int] = {
    errors.InvalidInput: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.LimitExceeded: 429,
    errors.Unavailable: 503,
    errors.IntegrityFault: 500,
}
STATUS_OF_CODE = {
    BodyTooLarge.code: 413,
    "opa_upload_too_large": 413,
    "upload_too_large": 413,
    "image_too_large": 413,
    "media_type_unsupported": 415,
}
#: Status and title of the problems that no error class of an area stands for.
OWN_KINDS: dict[str, tuple[int, str]] = {
    "bad_request": (400, "The request cannot be understood"),
    "invalid": (400, "The input is not valid"),
    "not_authenticated": (401, "Authentication is needed"),
    "permission_denied": (403, "Not permitted"),
    "denied": (403, "The policy does not permit this"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "The method is not allowed at this URL"),
    "length_required": (411, "The length of the body is needed"),
    "unsupported_media_type": (415, "The media type of the body is not supported"),
    "internal_error": (500, "Something went wrong"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, before it is put into a response. `members` are extension members (RFC 9457 section 3.2)."""

    status: int
    code: str
    title: str
    detail: str
    members: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def respond(request: HttpRequest | Request, problem: Problem) -> HttpResponse:
    """Return the problem as `application/problem+json`."""
    body = {
        "type": f"{TYPE_PREFIX}{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id_of(request),
        **problem.members,
    }
    return JsonResponse(body, status=problem.status, content_type=MEDIA_TYPE, headers=dict(problem.headers))


class ErrorContext(TypedDict):
    """What the web framework says of an error: in which view, and at which request."""

    view: APIView
    request: Request


def handle(error: Exception, context: ErrorContext) -> HttpResponse | None:
    """Return the answer to an error raised in a view; None for an unexpected one, which Django logs and answers."""
    if isinstance(error, exceptions.UnsupportedMediaType):
        taken = " or ".join(parser.media_type for parser in context["view"].parser_classes)
        return respond(context["request"], known(error.default_code, f"Send the body as {taken}."))
    problem = problem_of(error)
    return None if problem is None else respond(context["request"], problem)


def problem_of(error: Exception) -> Problem | None:
    """Return the problem to answer an error with; None for an unexpected error."""
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404):
        return known("not_found", "There is nothing at this URL.")
    if isinstance(error, PermissionDenied):
        return known("permission_denied", "This is not permitted.")
    domain = _as_domain(error)
    return None if domain is None else _of_domain(domain)


def known(code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: object) -> Problem:
    """Return a problem of OWN_KINDS. `members` are extension members."""
    status, title = OWN_KINDS[code]
    return Problem(status, code, title, detail, members, headers or {})


def _as_domain(error: Exception) -> errors.GovernanceError | None:
    """Return an error of ours, or one of Django or the database as ours; None for any other."""
    if isinstance(error, errors.GovernanceError):
        return error
    if isinstance(error, RequestDataTooBig):
        return BodyTooLarge("The body is too large.")
    if isinstance(error, DataError):
        logger.warning("the database refused a value", exc_info=error)
        return ValueImpossible("A value is not of the kind or range that is expected here.")
    if isinstance(error, SuspiciousOperation):
        return BodyMalformed("The request cannot be read.")
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("the database does not answer: %s", error)
        return DatabaseUnavailable("The database does not answer just now.")
    return None


def _of_domain(error: errors.GovernanceError) -> Problem:
    category = next((status for kind, status in STATUS_OF_CATEGORY.items() if isinstance(error, kind)), 500)
    status = STATUS_OF_CODE.get(error.error_code, category)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s: %s %s", error.error_code, error.message, error.details)
        return Problem(status, error.error_code, error.title, f"{error.title}.", {}, _headers(status))
    return Problem(status, error.error_code, error.title, error.message, _members(error), _headers(status, error))


def _members(error: errors.GovernanceError) -> dict[str, object]:
    details = dict(error.details)
    about = details.pop("field", None)
    members: dict[str, object] = {"details": details} if details else {}
    if about is not None:
        members["errors"] = [{"field": str(about), "code": error.error_code, "message": error.message}]
    return members


def _headers(status: int, error: errors.GovernanceError | None = None) -> dict[str, str]:
    if error is not None and status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token", error_description="{error.title}"'}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return {"Retry-After": str(RETRY_SECONDS)}
    return {}


def _of_framework(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        found = list(_field_errors(error.detail, ""))
        return known("invalid", "Some fields are not valid; 'errors' says which and why.", errors=found)
    if isinstance(error, exceptions.Throttled):
        wait = str(getattr(error, "wait", None) or RETRY_SECONDS)
        detail = f"There were too many requests; wait {wait} seconds."
        return Problem(429, TooManyRequests.code, TooManyRequests.title, detail, {}, {"Retry-After": wait})
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return known("not_authenticated", NOT_AUTHENTICATED, headers={"WWW-Authenticate": CHALLENGE})
    if isinstance(error, exceptions.ParseError):
        return Problem(400, BodyMalformed.code, BodyMalformed.title, str(error.detail))
    code = error.default_code if error.default_code in OWN_KINDS else "bad_request"
    return known(code, str(error.detail))


def _field_errors(detail: object, path: str) -> Iterator[dict[str, str]]:
    """Yield one entry per fault; `field` is dotted, with list positions as numbers, empty for the whole body."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _field_errors(inner, f"{path}.{name}".strip("."))
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _field_errors(inner, f"{path}.{position}".strip(".") if nested else path)
    else:
        yield {
            "field": path.removesuffix("non_field_errors").rstrip("."),
            "code": str(getattr(detail, "code", "invalid")),
            "message": str(detail),
        }
