"""The root of every error that Assent raises on purpose, and its categories.

A leaf class lives in the `errors.py` of its area, subclasses one category and sets a stable `code`.
Categories say what kind of answer the caller deserves; `api/problems.py` maps them to HTTP, once.
"""

from collections.abc import Mapping
from typing import ClassVar


class GovernanceError(Exception):
    """Root of all errors. `code` is stable and machine readable; `message` is a sentence for people."""

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, message: str, *, code: str | None = None, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = code or self.code
        self.details: dict[str, object] = dict(details or {})


class InvalidInput(GovernanceError):
    """The input cannot be accepted as it is."""

    code = "invalid_input"
    title = "The input is not valid"


class Unauthenticated(GovernanceError):
    """The caller is not authenticated."""

    code = "unauthenticated"
    title = "Authentication is needed"


class Forbidden(GovernanceError):
    """The caller is authenticated and may not do this."""

    code = "forbidden"
    title = "Not permitted"


class NotFound(GovernanceError):
    """It does not exist, or the caller may not know of it."""

    code = "not_found"
    title = "Not found"


class Conflict(GovernanceError):
    """The request contradicts the present state."""

    code = "conflict"
    title = "Conflicts with the present state"


class LimitExceeded(GovernanceError):
    """A size, rate or count limit was reached."""

    code = "limit_exceeded"
    title = "A limit was reached"


class Unavailable(GovernanceError):
    """A needed part does not answer; a later attempt may succeed."""

    code = "unavailable"
    title = "Temporarily unavailable"


class IntegrityFault(GovernanceError):
    """Stored bytes or records are not as they were recorded."""

    code = "integrity_fault"
    title = "An integrity check failed"
