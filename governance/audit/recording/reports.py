"""Keeping the report of a reconciliation, on record."""

from django.db import transaction

from governance.audit.entries import Reconciled
from governance.audit.models import ReconciliationReport
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef


@transaction.atomic
def keep_report(report: ReconciliationReport, *, actor: Actor) -> None:
    """Store a new report, with the entry that holds its digest."""
    report.save(force_insert=True)
    record(Reconciled.of(report), subject=SubjectRef("reconciliation", str(report.id)), actor=actor)
