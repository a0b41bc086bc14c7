"""Errors of the HTTP interface."""

from governance.kernel.errors import Forbidden, InvalidInput, LimitExceeded, NotFound, Unavailable


class IdempotencyKeyMissing(InvalidInput):
    """The request needs an Idempotency-Key header, so that repeating it is safe."""

    code = "idempotency_key_missing"
    title = "The Idempotency-Key is missing"


class QueryInvalid(InvalidInput):
    """A query parameter is unknown or has a value that it cannot have."""

    code = "query_invalid"
    title = "The query is not valid"


class BodyMalformed(InvalidInput):
    """The body cannot be read as what it is declared to be."""

    code = "body_malformed"
    title = "The body cannot be read"


class ValueImpossible(InvalidInput):
    """A value is not of the kind or range that anything here could have."""

    code = "value_impossible"
    title = "A value cannot be as it is"


class BodyTooLarge(LimitExceeded):
    """The body is larger than this endpoint accepts."""

    code = "body_too_large"
    title = "The body is too large"


class NotCovered(Forbidden):
    """The access token does not cover this; get a token with the scope or the details that it needs."""

    code = "insufficient_scope"
    title = "The access token does not cover this"


class EvidenceNotReady(NotFound):
    """There is no evidence about this job yet; it is issued when the job ends."""

    code = "evidence_not_ready"
    title = "There is no evidence yet"


class TooManyRequests(LimitExceeded):
    """There were more requests in a minute than allowed; wait for the seconds in Retry-After."""

    code = "too_many_requests"
    title = "Too many requests"


class ThrottleUnavailable(Unavailable):
    """Requests cannot be counted now, so all are refused."""

    code = "throttle_unavailable"


class DatabaseUnavailable(Unavailable):
    """The database does not answer now."""

    code = "database_unavailable"


class LogNotPublished(NotFound):
    """The transparency log has no checkpoint yet that enough witnesses cosigned."""

    code = "log_not_published"
    title = "The log has no checkpoint yet"
