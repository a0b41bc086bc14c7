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
    """What was sent cannot be accepted as it is."""

    code = "invalid_input"
    title = "The input is not valid"


class Unauthenticated(GovernanceError):
    """Nobody, or nobody we can verify, is asking."""

    code = "unauthenticated"
    title = "Authentication is needed"


class Forbidden(GovernanceError):
    """We know who asks, and the answer is no."""

    code = "forbidden"
    title = "Not permitted"


class NotFound(GovernanceError):
    """No such thing, or not one that the caller may know of."""

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
    """A part that is needed does not answer; trying later may help."""

    code = "unavailable"
    title = "Temporarily unavailable"


class IntegrityFault(GovernanceError):
    """Stored bytes or records are not what they were recorded to be."""

    code = "integrity_fault"
    title = "An integrity check failed"
