"""Reads what OPA servers send: decision log events and status reports.

Formats: https://www.openpolicyagent.org/docs/management-decision-logs#decision-log-service-api and
https://www.openpolicyagent.org/docs/management-status. Events with missing or unknown members are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from governance.engines.opa_modules import PDP_PATH
from governance.kernel.canonical import digest

BUNDLE = "assent"
_ID, _NAME, _DIGEST = 100, 200, 64
_ERROR = 2000


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One decision log event; see `OpaDecisionLog` for the fields."""

    decision_id: str
    path: str
    revision: str
    facts_sha256: str
    answers: list[object]
    event: dict[str, object]
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A status report, reduced: which process sent it, what it runs, and why its last bundle failed."""

    opa_id: str
    version: str
    revision: str
    error: str


def read_event(event: Mapping[str, object]) -> LogEvent:
    """Return an event for storing, without the facts that a server without our mask would send."""
    given = _object(event.get("input"))
    kept = {**event, "input": {name: value for name, value in given.items() if name == "facts_sha256"}}
    result = _object(event.get("result"))
    answers = result.get("answers")
    return LogEvent(
        decision_id=_text(event.get("decision_id"), _ID) or f"sha256:{digest(kept)}",
        path=_text(event.get("path"), _NAME),
        revision=_text(result.get("revision"), _DIGEST),
        facts_sha256=_text(given.get("facts_sha256"), _DIGEST),
        answers=answers if isinstance(answers, list) and event.get("path") == PDP_PATH else [],
        event=_storable_object(kept),
        decided_at=_moment(event.get("timestamp")),
    )


def read_status(report: Mapping[str, object]) -> StatusReport:
    """Return the parts of a status report that are stored."""
    labels = _object(report.get("labels"))
    bundle = _object(_object(report.get("bundles")).get(BUNDLE))
    errors = bundle.get("errors")
    listed = errors if isinstance(errors, list) else []
    causes = [str(each.get("message", each)) if isinstance(each, Mapping) else str(each) for each in listed]
    message = _text(bundle.get("message"), _ERROR)
    return StatusReport(
        opa_id=_text(labels.get("id"), _ID),
        version=_text(labels.get("version"), 50),
        revision=_text(bundle.get("active_revision"), _DIGEST),
        error=_clean("; ".join([message, *causes]))[:_ERROR] if message or causes else "",
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object, limit: int) -> str:
    return _clean(value)[:limit] if isinstance(value, str) else ""


def _clean(text: str) -> str:
    # PostgreSQL stores neither NUL nor lone surrogates.
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _storable(value: object) -> object:
    match value:
        case str():
            return _clean(value)
        case Mapping():
            return _storable_object(value)
        case list():
            return [_storable(item) for item in value]
    return value


def _storable_object(value: Mapping[str, object]) -> dict[str, object]:
    return {_clean(str(name)): _storable(item) for name, item in value.items()}


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
