"""Whether the decision logs of OPA servers agree with the decisions on record, and who else asked those servers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from governance.decisions.models import DecisionRecord
from governance.engines.opa_modules import PDP_PATH
from governance.kernel.reason_codes import ReasonCode
from governance.opa.models import UNNUMBERED, OpaDecisionLog

ENGINE = "opa"
#: Reasons of questions that never reached an engine.
_NOT_ASKED = frozenset({ReasonCode.FACTS_INCOMPLETE, ReasonCode.ACTION_UNKNOWN})
_COLUMNS = ("id", "decision_id", "path", "facts_sha256", "question", "revision", "answers")


@dataclass(frozen=True, slots=True)
class PastAssent:
    """A question that somebody else asked an OPA server directly. `when` is OPA's time, in UTC.

    `subject` is the client or partner of ours that the input named, "other" for any other subject, empty for none.
    """

    decision_id: str
    server: str
    when: datetime | None
    path: str
    subject: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How the decision logs and the decision records of a period match, as counts.

    `agreeing`: the same answers. `disagreeing`: the same facts and revision, other answers; never to be seen.
    `other_revision`: an answer that was asked for again, because the server ran another revision. `unrecorded`: a log
    of our question without a record, because the change that it was for was rolled back, or it was no decision (a
    search, a preview, a health check). `unlogged`: a record whose log has not come. `past_assent`: a question that
    matches no decision on record and that Assent did not ask.
    """

    agreeing: int
    disagreeing: int
    other_revision: int
    unrecorded: int
    unlogged: int
    suspects: tuple[str, ...] = ()
    past_assent: int = 0
    #: Keys of the logs of `past_assent`, oldest first; `name_past_assent` names them.
    strangers: tuple[int, ...] = ()


def reconcile(*, since: datetime, until: datetime) -> Reconciliation:
    """Compare the logs and the records of a period.

    Logs are those received in it, and those of the records decided in it. A log belongs to the records with the same
    digest of facts; one without our mark does not, where another with it does. Records with a question that never
    reached the engine (its facts were incomplete; all of them are denials) have no such log and are left out.
    """
    of_time = list(_records(decided_at__gte=since, decided_at__lt=until, engine=ENGINE))
    logs = _logs(since, until, {record.facts_digest for record in of_time})
    records = _by_digest([*of_time, *_records(facts_digest__in={log.facts_sha256 for log in logs} - {""})])
    found: Counter[str] = Counter()
    suspects, strangers = [], []
    asked = list(_with_askers(logs))
    accounted = {(log.facts_sha256, log.revision) for log, by_us in asked if by_us and log.question != UNNUMBERED}
    for log, by_us in asked:
        copied = not by_us and (log.facts_sha256, log.revision) in accounted
        verdict = "past_assent" if copied else _verdict(log, records.get(log.facts_sha256, []), by_us)
        found[verdict] += 1
        if verdict == "disagreeing":
            suspects.append(log.decision_id)
        if verdict == "past_assent":
            strangers.append(log.pk)
    logged = {(log.facts_sha256, log.revision) for log in logs}
    unlogged = [r for r in of_time if (r.facts_digest, r.revision_digest) not in logged and _asked_whole(r)]
    return Reconciliation(
        agreeing=found["agreeing"],
        disagreeing=found["disagreeing"],
        other_revision=found["other_revision"],
        unrecorded=found["unrecorded"],
        unlogged=len(unlogged),
        suspects=tuple(suspects),
        past_assent=found["past_assent"],
        strangers=tuple(strangers),
    )


def name_past_assent(strangers: Sequence[int]) -> list[PastAssent]:
    """Return what is known of the questions with these keys, in their order."""
    rows = OpaDecisionLog.objects.select_related("server").defer("event", "answers").in_bulk(list(strangers))
    return [
        PastAssent(row.decision_id, row.server.name, row.decided_at, row.path, row.subject)
        for row in (rows[key] for key in strangers)
    ]


def _logs(since: datetime, until: datetime, digests: set[str]) -> list[OpaDecisionLog]:
    received = Q(received_at__gte=since, received_at__lt=until)
    return list(OpaDecisionLog.objects.filter(received | Q(facts_sha256__in=digests)).only(*_COLUMNS).order_by("id"))


def _records(**chosen: object) -> Iterable[DecisionRecord]:
    columns = ("facts_digest", "revision_digest", "evaluations", "engine", "decided_at")
    return DecisionRecord.objects.filter(**chosen).only(*columns)


def _by_digest(records: Iterable[DecisionRecord]) -> Mapping[str, list[DecisionRecord]]:
    by_digest: dict[str, list[DecisionRecord]] = {}
    for record in {record.pk: record for record in records}.values():
        by_digest.setdefault(record.facts_digest, []).append(record)
    return by_digest


def _with_askers(logs: Iterable[OpaDecisionLog]) -> Iterable[tuple[OpaDecisionLog, bool]]:
    """Yield each log with whether Assent asked that question, as far as that is known. A second number is a copy."""
    seen = {""}
    for log in logs:
        yield log, log.question == UNNUMBERED or (log.question not in seen and log.path == PDP_PATH)
        seen.add(log.question)


def _verdict(log: OpaDecisionLog, records: list[DecisionRecord], by_us: bool) -> str:
    if not records or log.path != PDP_PATH:
        return "unrecorded" if by_us else "past_assent"
    same_revision = [record for record in records if record.revision_digest == log.revision]
    if not same_revision:
        return "other_revision"
    agrees = any(_answers(record) == _normal(log.answers) for record in same_revision)
    return "agreeing" if agrees else "disagreeing"


def _asked_whole(record: DecisionRecord) -> bool:
    spoken = (reason for each in record.evaluations for reason in each["reasons"] if reason["rule"] is None)
    return bool(record.evaluations) and not any(reason["code"] in _NOT_ASKED for reason in spoken)


def _answers(record: DecisionRecord) -> list[object]:
    return [
        (each["effect"], sorted(each["matched_rules"]["permit"]), sorted(each["matched_rules"]["deny"]))
        for each in record.evaluations
    ]


def _normal(answers: list[object]) -> list[object]:
    return [
        (each.get("effect"), _ids(each.get("permits")), _ids(each.get("denies")))
        for each in answers
        if isinstance(each, Mapping)
    ]


def _ids(value: object) -> list[str]:
    return sorted(str(rule_id) for rule_id in value) if isinstance(value, list) else []
