"""Reads about OPA servers: by credential, the bundle to run, and whether their logs agree with our decisions."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from governance.decisions.models import DecisionRecord
from governance.engines.opa_modules import PDP_PATH
from governance.kernel.reason_codes import ReasonCode
from governance.keys.ring import KeyPurpose, key_ring
from governance.opa.errors import BundleUnknown, OpaCredentialInvalid
from governance.opa.events import BUNDLE
from governance.opa.models import OpaDecisionLog, OpaServer
from governance.rulebook.bundles import Bundle, etag_of, signed_bundle
from governance.rulebook.queries import active_program, load_program

ENGINE = "opa"
#: Reasons of questions that never reached an engine.
_NOT_ASKED = frozenset({ReasonCode.FACTS_INCOMPLETE, ReasonCode.ACTION_UNKNOWN})


def server_of(token: str) -> OpaServer:
    """Return the server with this credential. Raises OpaCredentialInvalid."""
    checksum = hashlib.sha256(token.encode()).hexdigest()
    server = OpaServer.objects.filter(token_sha256=checksum, revoked_at=None).first()
    if server is None:
        raise OpaCredentialInvalid("The credential is not known, or was revoked.")
    return server


def bundle_etag(name: str, *, key_id: str) -> str:
    """Return the entity tag of the bundle to run now. Raises BundleUnknown, NoActiveRevision, KeyUnavailable.

    `key_id` is the key that the server verifies by; it signs as long as it is valid.
    """
    if name != BUNDLE:
        raise BundleUnknown(f"There is no bundle '{name}'.")
    return etag_of(active_program().revision, key_ring.get().current(purpose=KeyPurpose.BUNDLE, prefer=key_id))


def bundle_to_run(name: str, *, key_id: str) -> Bundle:
    """Return the signed bundle of the active revision. Raises as `bundle_etag` does, and RevisionCorrupt."""
    return _bundle(bundle_etag(name, key_id=key_id))


@lru_cache(maxsize=4)
def _bundle(etag: str) -> Bundle:
    _, revision, key_id = etag.strip('"').split(".")
    return signed_bundle(program=load_program(revision), key_ring=key_ring.get(), prefer=key_id)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How the decision logs and the decision records of a period match, as counts.

    `agreeing`: the same answers. `disagreeing`: the same facts and revision, other answers; never to be seen.
    `other_revision`: an answer that was asked for again, because the server ran another revision. `unrecorded`: a log
    without a record, because the change that it was for was rolled back. `unlogged`: a record whose log has not come.
    """

    agreeing: int
    disagreeing: int
    other_revision: int
    unrecorded: int
    unlogged: int
    suspects: tuple[str, ...] = ()


def reconcile(*, since: datetime, until: datetime) -> Reconciliation:
    """Compare the logs and the records of a period.

    A log belongs to the records with the same digest of facts. Records with a question that never reached the engine
    (its facts were incomplete; all of them are denials) have no such log and are left out.
    """
    logs = list(
        OpaDecisionLog.objects.filter(decided_at__gte=since, decided_at__lt=until, path=PDP_PATH)
        .exclude(facts_sha256="")
        .only("id", "decision_id", "facts_sha256", "revision", "answers")
    )
    records = _records(since, until, {log.facts_sha256 for log in logs})
    found: Counter[str] = Counter()
    suspects = []
    for log in logs:
        verdict = _verdict(log, records.get(log.facts_sha256, []))
        found[verdict] += 1
        if verdict == "disagreeing":
            suspects.append(log.decision_id)
    logged = {(log.facts_sha256, log.revision) for log in logs}
    unlogged = sum(
        (record.facts_digest, record.revision_digest) not in logged
        for group in records.values()
        for record in group
        if record.engine == ENGINE and since <= record.decided_at < until and _asked_whole(record)
    )
    return Reconciliation(
        agreeing=found["agreeing"],
        disagreeing=found["disagreeing"],
        other_revision=found["other_revision"],
        unrecorded=found["unrecorded"],
        unlogged=unlogged,
        suspects=tuple(suspects),
    )


def _records(since: datetime, until: datetime, digests: set[str]) -> Mapping[str, list[DecisionRecord]]:
    columns = ("facts_digest", "revision_digest", "evaluations", "engine", "decided_at")
    of_time = DecisionRecord.objects.filter(engine=ENGINE, decided_at__gte=since, decided_at__lt=until)
    by_digest: dict[str, list[DecisionRecord]] = {}
    for record in _distinct([*of_time.only(*columns), *DecisionRecord.objects.filter(facts_digest__in=digests)]):
        by_digest.setdefault(record.facts_digest, []).append(record)
    return by_digest


def _distinct(records: Iterable[DecisionRecord]) -> Iterable[DecisionRecord]:
    return {record.pk: record for record in records}.values()


def _verdict(log: OpaDecisionLog, records: list[DecisionRecord]) -> str:
    if not records:
        return "unrecorded"
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
