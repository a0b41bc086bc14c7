"""Reads what OPA servers send: decision log events and status reports.

Formats: https://www.openpolicyagent.org/docs/management-decision-logs#decision-log-service-api and
https://www.openpolicyagent.org/docs/management-status. Every event is judged by itself. Members that we do not know are
kept; those that can hold what was asked about are not.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from governance.engines.opa_modules import PDP_PATH
from governance.kernel.json_reading import JsonRefused
from governance.opa.choices import Refusal

BUNDLE = "assent"
_ID, _NAME, _DIGEST, _MARK = 100, 200, 64, 120
_ERROR = 2000
#: RFC 3339 section 5.6. A leap second is allowed there and has no datetime of its own.
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAMED_DATA = re.compile(r"\bdata(?:\.[A-Za-z_]\w*)+", re.ASCII)
_SUBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_SUBJECT_MEMBERS = ("id", "client_id", "client", "partner", "slug")
#: Members that can hold facts, or answers made of them.
_NEVER_KEPT = frozenset({"input", "query", "nd_builtin_cache", "intermediate_results", "mapped_result", "result"})


class EventRefused(Exception):
    """An event is not one that can be taken. `detail` says where it is wrong, without any of its values."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One decision log event; see `OpaDecisionLog` for the fields.

    `mark` says who asked (see `marks`); `subjects` are texts of the input that may name a client or partner of ours.
    """

    decision_id: str
    path: str
    revision: str
    facts_sha256: str
    mark: str
    subjects: tuple[str, ...]
    answers: list[object]
    event: dict[str, object]
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A status report, reduced: which process sent it, what it runs, and why its last bundle failed."""

    opa_id: str
    version: str
    revision: str
    error: str


def read_event(item: object) -> LogEvent:
    """Return an event for storing, without the facts that a server without our mask would send.

    `item` is one item of an upload as `read_json_items` returns it. Raises EventRefused.
    """
    if isinstance(item, JsonRefused):
        raise EventRefused(Refusal.NOT_STRICT, item.reason)
    if not isinstance(item, Mapping):
        raise EventRefused(Refusal.NOT_AN_EVENT, "it is not an object")
    decision_id = _decision_id(item)
    decided_at = _moment(item.get("timestamp"))
    path = _path(item)
    if not isinstance(item.get("labels", {}), Mapping):
        raise EventRefused(Refusal.WRONG_TYPE, "labels is not an object")
    ours = path == PDP_PATH
    given = _object(item.get("input"))
    asked = {name: value for name, value in given.items() if name in ("facts_sha256", "asked")}
    result = _object(item.get("result"))
    answers = result.get("answers")
    kept = {name: value for name, value in item.items() if name not in _NEVER_KEPT}
    event = _storable_object({**kept, "input": asked, **({"result": item.get("result")} if ours else {})})
    if len(json.dumps(event)) > settings.ASSENT_OPA_EVENT_BYTES:
        raise EventRefused(Refusal.TOO_LARGE, f"it has more than {settings.ASSENT_OPA_EVENT_BYTES} bytes")
    return LogEvent(
        decision_id=decision_id,
        path=path,
        revision=_digest(result.get("revision")),
        facts_sha256=_digest(given.get("facts_sha256")),
        mark=_text(given.get("asked"), _MARK),
        subjects=tuple(dict.fromkeys(_subjects(given))),
        answers=_storable_list(answers) if isinstance(answers, list) and ours else [],
        event=event,
        decided_at=decided_at,
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


def _decision_id(item: Mapping[str, object]) -> str:
    given = item.get("decision_id")
    if not isinstance(given, str) or not 1 <= len(given) <= _ID or "\0" in given:
        raise EventRefused(Refusal.NO_ID, f"decision_id is not a text of 1 to {_ID} characters")
    return given


def _path(item: Mapping[str, object]) -> str:
    """Return the path that was asked, or of a query the data that it names: the query itself may hold facts."""
    path = _optional_text(item, "path")
    query = _optional_text(item, "query")
    named = ", ".join(dict.fromkeys(_NAMED_DATA.findall(query)))
    return _text(path, _NAME) or (_text(f"query of {named or 'no data'}", _NAME) if query else "")


def _optional_text(item: Mapping[str, object], name: str) -> str:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise EventRefused(Refusal.WRONG_TYPE, f"{name} is not a text")
    return value or ""


def _moment(value: object) -> datetime:
    """Return a moment of RFC 3339 in UTC; a leap second as the last moment before it."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise EventRefused(Refusal.NO_TIME, "timestamp is not a moment as RFC 3339 writes it")
    day, minute, second, fraction, zone = found.groups()
    if second == "60":
        second, fraction = "59", ".999999"
    try:
        return datetime.fromisoformat(f"{day}T{minute}:{second}{fraction or ''}{zone.upper()}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise EventRefused(Refusal.NO_TIME, "timestamp is outside the years 1 to 9999, or no such moment") from error


def _subjects(given: Mapping[str, object]) -> Iterator[str]:
    for holder in (given, _object(given.get("facts"))):
        subject = holder.get("subject")
        members = [subject.get(name) for name in _SUBJECT_MEMBERS] if isinstance(subject, Mapping) else [subject]
        yield from (each for each in members if isinstance(each, str) and _SUBJECT_ID.fullmatch(each))


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _digest(value: object) -> str:
    return value if isinstance(value, str) and _SHA256.fullmatch(value) else ""


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
            return _storable_list(value)
    return value


def _storable_list(value: list[object]) -> list[object]:
    return [_storable(item) for item in value]


def _storable_object(value: Mapping[str, object]) -> dict[str, object]:
    return {_clean(str(name)): _storable(item) for name, item in value.items()}
