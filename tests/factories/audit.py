"""Audit things for tests, made through the services, so that ledger and signatures fit."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import factory
from django.db import connection, transaction

from governance.audit.evidence.issue import issue_evidence
from governance.audit.evidence.receipts import record_with_receipt
from governance.audit.log.sequencer import sequence_all
from governance.audit.models import EvidenceRecord, OutboxEntry, Receipt, ReconciliationReport
from governance.audit.recording.declarations import Declaration, Entry
from governance.audit.recording.entries import entry_data
from governance.audit.recording.record import record
from governance.audit.types import Actor, Fault, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import Json
from governance.kernel.ids import new_id
from governance.transparency.predicates.catalogue import find_predicate


class SubjectRefFactory(factory.Factory[SubjectRef]):
    """A job that nobody else uses."""

    class Meta:
        model = SubjectRef

    type = "job"
    id = factory.LazyFunction(lambda: str(new_id()))


class ActorFactory(factory.Factory[Actor]):
    """An API client."""

    class Meta:
        model = Actor

    type = "client"
    id = factory.Sequence(lambda number: f"client-{number}")


#: The kinds of every `LooseEntry` of this run; besides them only declared kinds are recorded.
LOOSE_KINDS: set[str] = set()


class LooseEntry(Entry):
    """An entry of a kind that nobody declared, for tests of what happens to any entry."""

    def __init__(self, kind: str, data: dict[str, Json], *, subject: str = "job", receipt: str | None = None) -> None:
        self.data = data
        LOOSE_KINDS.add(kind)
        self.declaration = Declaration(
            kind=kind,
            subjects=(subject,),
            receipt=receipt,
            since="0.1",
            unmatched="",
            retired="",
            meaning="A test's own.",
            fields=(),
            names=(),
        )

    def to_data(self) -> dict[str, Json]:
        return self.data


def record_loose(
    kind: str, *, subject: SubjectRef, actor: Actor | None = None, data: dict[str, Json] | None = None
) -> UUID:
    """Record an entry of any kind, in a transaction of its own; return its id."""
    entry = LooseEntry(kind, data or {}, subject=subject.type)
    with transaction.atomic():
        return record(entry, subject=subject, actor=actor or ActorFactory())


def uploaded(**given: Any) -> LooseEntry:
    """Return an entry with a receipt, like that of an upload; `given` replaces its parts."""
    return LooseEntry(
        **({"kind": "asset.registered", "data": {"size": 3}, "subject": "asset"} | given), receipt="upload/v1"
    )


def example_predicate(name: str, **changed: Json) -> dict[str, Any]:
    """Return the predicate of a type's example without what it says about itself; `changed` replaces members."""
    predicate: dict[str, Any] = find_predicate(name).examples[0]["predicate"]
    return {each: value for each, value in predicate.items() if each not in ("receipt", "evidence")} | changed


def record_entries(count: int, *, subject: SubjectRef | None = None, kind: str = "job.submitted") -> SubjectRef:
    """Record `count` entries about one subject, each in its own transaction; return the subject."""
    about = subject or SubjectRefFactory()
    for number in range(count):
        record_loose(kind, subject=about, data={"number": number})
    return about


def issued_evidence(**given: Any) -> EvidenceRecord:
    """Issue evidence of a released job in a transaction of its own; `given` replaces arguments of the service."""
    arguments: dict[str, Any] = {
        "subject": SubjectRefFactory(),
        "outcome": "released",
        "predicate_type": "https://assent.dev/predicates/job-outcome/v1",
        "statement_subject": [{"name": "output", "digest": {"sha256": "ab" * 32}}],
        "predicate": example_predicate("job-outcome/v1"),
    }
    with transaction.atomic():
        return issue_evidence(**(arguments | given))


def filled_log(count: int) -> None:
    """Put `count` entries into the log quickly; their bytes are short and no canonical JSON."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO audit_outboxentry
                (entry_id, kind, subject_type, subject_id, actor_type, actor_id, occurred_at, body)
            SELECT gen_random_uuid(), 'job.submitted', 'job', 'j-' || number, 'client', 'c-1', now(),
                convert_to('{"number":' || number || '}', 'UTF8')
            FROM generate_series(1, %s) AS number
            """,
            [count],
        )
    sequence_all()


def receipt_of(subject: SubjectRef, **given: Any) -> Receipt:
    """Record the registration of a work with a receipt, in a transaction of its own; `given` replaces arguments."""
    arguments: dict[str, Any] = {
        "entry": uploaded(),
        "subject": subject,
        "actor": ActorFactory(),
        "statement_subject": [{"name": "upload", "digest": {"sha256": "ab" * 32}}],
        "predicate": example_predicate("upload/v1", asset=subject.id),
    }
    with transaction.atomic():
        return record_with_receipt(**(arguments | given))


def make_report(*faults: Fault) -> ReconciliationReport:
    """Return the report of a reconciliation that found these faults."""
    return ReconciliationReport.objects.create(
        ok=not faults,
        counts={"jobs": 3, "worm_objects": 7},
        fault_count=len(faults),
        faults=[asdict(fault) for fault in faults],
        asked_by="system:command",
        started_at=clock.now() - timedelta(seconds=4),
    )


def newest_data(kind: str, subject: SubjectRef) -> dict[str, Json]:
    """Return the data of the newest waiting entry of a kind about a subject."""
    waiting = OutboxEntry.objects.filter(kind=kind, subject_type=subject.type, subject_id=subject.id)
    return dict(entry_data(bytes(waiting.latest("id").body)))
