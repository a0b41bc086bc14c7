"""One complete reconciliation and its report."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from django.db import DataError, connection, transaction

from governance.audit.guards.advisory_locks import AdvisoryLock, session_lock
from governance.audit.models import ReconciliationReport
from governance.audit.ports import worm_store
from governance.audit.recording.reconciling import Check, checks, counted_models, scans
from governance.audit.recording.reports import keep_report
from governance.audit.tally import Progress, Tally
from governance.audit.types import Actor, Fault
from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.workflows.reconcile.worm import GRACE, StoreView, unknown_faults, worm_faults

logger = logging.getLogger(__name__)

RECONCILER = Actor("system", "reconciler")
SCHEDULE = Actor("system", "schedule")
FAULTS_KEPT = 1000
_FETCH = 500


def reconcile(*, asked_by: str, read_bytes: bool = True, on_progress: Progress | None = None) -> ReconciliationReport:
    """Compare database, log and WORM storage, store the report with its entry, and return it.

    The database is read as of one moment, so work in progress is not a fault. Without `read_bytes` WORM
    objects are looked up, but not rehashed. Call it outside a transaction. Raises Unavailable when the WORM store
    cannot be used, and whatever the database raises.
    """
    store, tally, started = worm_store.get(), Tally(on_progress), clock.now()
    found = _Found()
    with snapshot():
        found.add(database_faults(tally))
        counts = {name: model._base_manager.count() for name, model in counted_models().items()}
    found.add(worm_faults(tally, store=store, read_bytes=read_bytes))
    # Read last, so that the view is as fresh as the report can be.
    view = StoreView(as_of=clock.now() - GRACE)
    found.add(unknown_faults(tally, store=store, view=view))
    report = ReconciliationReport(
        id=new_id(),
        ok=found.count == 0,
        counts={**counts, **tally.checked},
        fault_count=found.count,
        faults=[asdict(each) for each in found.kept],
        store_as_of=view.as_of,
        newer_objects=view.newer,
        asked_by=asked_by,
        started_at=started,
        finished_at=clock.now(),
    )
    _store(report)
    return report


def reconcile_nightly() -> ReconciliationReport | None:
    """Reconcile unless the previous run is still under way: with millions of objects one may take longer than a night.

    Returns None in that case. Raises as `reconcile`.
    """
    with session_lock(AdvisoryLock.RECONCILIATION) as alone:
        if alone:
            return reconcile(asked_by=str(SCHEDULE))
    logger.warning("The previous reconciliation is still under way; no new one is started.")
    return None


class _Found:
    """The faults of one reconciliation: all are counted, the first ones are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.kept: list[Fault] = []

    def add(self, faults: Iterable[Fault]) -> None:
        for each in faults:
            self.count += 1
            if len(self.kept) < FAULTS_KEPT:
                self.kept.append(each)


@contextmanager
def snapshot() -> Iterator[None]:
    """Read the database as of one moment inside the block, without changing it (PostgreSQL: REPEATABLE READ)."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def database_faults(tally: Tally) -> Iterator[Fault]:
    """Run every check of rows and entries, as the current transaction sees them."""
    questions = checks()
    for question in tally.counted("checks", questions, total=len(questions)):
        yield from _answers(question)
    for scan in scans():
        yield from scan(tally)


def _answers(question: Check) -> Iterator[Fault]:
    """Yield what is wrong. Bytes that the database cannot read as an entry end the check with a fault."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(question.sql)
            while rows := cursor.fetchmany(_FETCH):
                for code, subject, message in rows:
                    yield Fault(subject, code, message, question.remedies[code])
    except DataError as error:
        codes = ", ".join(question.remedies)
        remedy = "An entry holds bytes that Assent did not write. 'manage.py verify_evidence' names it."
        yield Fault("the log", "check_failed", f"Could not be compared ({codes}): {error}", remedy)


def _store(report: ReconciliationReport) -> None:
    keep_report(report, actor=RECONCILER)
    if not report.ok:
        logger.error("Reconciliation found %d faults; see the report %s.", report.fault_count, report.id)
