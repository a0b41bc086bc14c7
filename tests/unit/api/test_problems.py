"""Errors become problems: the right status, a stable code, and no word about what is not the caller's business."""

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions

from governance.api.problems import problem_of
from governance.kernel import errors


@pytest.mark.parametrize(
    ("category", "status"),
    [
        (errors.InvalidInput, 400),
        (errors.Unauthenticated, 401),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.LimitExceeded, 429),
        (errors.IntegrityFault, 500),
        (errors.GovernanceError, 500),
        (errors.Unavailable, 503),
    ],
)
def test_each_category_has_its_status(category, status):
    problem = problem_of(category("What happened.", code="it_happened"))
    assert (problem.status, problem.code) == (status, "it_happened")


@pytest.mark.parametrize("category", [errors.IntegrityFault, errors.Unavailable, errors.GovernanceError])
def test_unexpected_errors_are_answered_without_details(category):
    problem = problem_of(category("/srv/secret/path is gone", details={"path": "/srv/secret/path"}))
    assert "secret" not in problem.detail
    assert not problem.members


def test_an_error_of_the_caller_is_answered_with_its_details():
    problem = problem_of(errors.Conflict("Used before.", code="used", details={"job_id": "7"}))
    assert problem.detail == "Used before."
    assert problem.members == {"details": {"job_id": "7"}}


def test_an_error_about_a_field_is_listed_under_that_field():
    problem = problem_of(errors.InvalidInput("Too long.", code="long", details={"field": "title"}))
    assert problem.members == {"errors": [{"field": "title", "code": "long", "message": "Too long."}]}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (RequestDataTooBig(), 413, "body_too_large"),
        (SuspiciousOperation(), 400, "body_malformed"),
        (OperationalError("10.0.0.1"), 503, "database_unavailable"),
        (InterfaceError("10.0.0.1"), 503, "database_unavailable"),
        (exceptions.ParseError("Bad."), 400, "body_malformed"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed(), 401, "not_authenticated"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("x/y"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=7), 429, "too_many_requests"),
        (exceptions.NotAcceptable(), 400, "bad_request"),
    ],
)
def test_framework_errors_get_our_codes(error, status, code):
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)


def test_a_throttled_request_gets_retry_after():
    assert problem_of(exceptions.Throttled(wait=7)).headers == {"Retry-After": "7"}
    assert problem_of(errors.Unavailable("Down.")).headers == {"Retry-After": "5"}


def test_an_unexpected_error_is_left_to_the_server_error_handler():
    assert problem_of(ZeroDivisionError()) is None


def test_field_errors_have_dotted_paths():
    detail = {
        "title": ["Too long."],
        "inputs": {1: ["No id."]},
        "parts": [{}, {"name": ["Blank.", "Short."]}],
        "non_field_errors": ["Odd."],
    }
    found = problem_of(exceptions.ValidationError(detail)).members["errors"]
    assert [(each["field"], each["message"]) for each in found] == [
        ("title", "Too long."),
        ("inputs.1", "No id."),
        ("parts.1.name", "Blank."),
        ("parts.1.name", "Short."),
        ("", "Odd."),
    ]
