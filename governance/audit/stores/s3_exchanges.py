"""Calls to an S3 store and its answers as text: names of the API, no bytes and no credentials."""

from collections.abc import Mapping
from datetime import datetime

#: Members of answers that say what the store did or knows.
_TOLD = (
    "VersionId",
    "DeleteMarker",
    "ChecksumSHA256",
    "ContentLength",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ObjectLockLegalHoldStatus",
    "ObjectLockConfiguration",
    "Status",
)
_LONGEST = 300


def sent_text(operation: str, key: str | None, given: Mapping[str, object]) -> str:
    """Return a call as one line, such as `PutObject a/1 ChecksumAlgorithm=SHA256 Body=53 bytes`."""
    name = "".join(part.capitalize() for part in operation.split("_"))
    return " ".join([name, *([] if key is None else [key]), *(f"{each}={_shown(given[each])}" for each in given)])


def answer_text(answer: Mapping[str, object]) -> str:
    """Return an answer as one line: the status, the error if there is one, and what the store says of the object."""
    meta, error = answer.get("ResponseMetadata"), answer.get("Error")
    status = meta.get("HTTPStatusCode") if isinstance(meta, Mapping) else None
    failed = f"{error.get('Code')}: {error.get('Message')}" if isinstance(error, Mapping) else ""
    told = " ".join(f"{name}={_shown(answer[name])}" for name in _TOLD if name in answer)
    return " ".join(part for part in (str(status or "no status"), failed, told) if part)[:_LONGEST]


def _shown(value: object) -> str:
    match value:
        case bytes():
            return f"{len(value)} bytes"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case Mapping():
            return "{" + ", ".join(f"{name}={_shown(inner)}" for name, inner in value.items()) + "}"
    return str(value)
