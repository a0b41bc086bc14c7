"""Reconciliations: is everything there exactly once, and nothing else?"""

from collections import Counter
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter

from governance.audit.models import ReconciliationReport
from governance.console.base import StoryAdmin
from governance.console.presentation import badge, duration, moment
from governance.console.subjects import person_names, subject_link
from governance.console.types import Context

SHOWN = 200


@admin.register(ReconciliationReport)
class ReconciliationReportAdmin(StoryAdmin):
    """Reports of comparing jobs, decisions, evidence, WORM storage and ledger."""

    intro = (
        "Every night, jobs, decisions, permits, evidence, WORM storage and the log are compared with each other, both "
        "ways: all that happened must have its proof, and every proof must have its cause. For one now: manage.py "
        "audit reconcile."
    )
    empty_title = "Nothing was reconciled yet"
    empty_text = "The first report comes tonight, or now by: manage.py audit reconcile"
    story_template = "console/reconciliation.html"
    list_display = ["when", "result", "checked", "took", "by"]
    list_filter = [("finished_at", RangeDateTimeFilter)]

    def prepare(self, rows: list[Any]) -> None:
        """Look up who asked, for all rows at once."""
        names = person_names([row.asked_by for row in rows])
        for row in rows:
            row.asked_by_name = names.get(row.asked_by, row.asked_by)

    @admin.display(description="Finished (UTC)", ordering="finished_at")
    def when(self, report: ReconciliationReport) -> SafeString:
        """Return when it was finished, in UTC."""
        return moment(report.finished_at)

    @admin.display(description="Result", ordering="fault_count")
    def result(self, report: ReconciliationReport) -> SafeString:
        """Return the result as a badge."""
        return result_badge(report)

    @admin.display(description="Checked")
    def checked(self, report: ReconciliationReport) -> str:
        """Return how much was checked."""
        return f"{sum(report.counts.values()):,}"

    @admin.display(description="Took")
    def took(self, report: ReconciliationReport) -> str:
        """Return how long it took."""
        return duration(_seconds(report))

    @admin.display(description="Asked by")
    def by(self, report: Any) -> str:
        """Return who asked for it."""
        return str(report.asked_by_name)

    def story(self, request: HttpRequest, row: ReconciliationReport) -> Context:
        """Return what the page of a row shows."""
        by_check = Counter(fault["check"] for fault in row.faults)
        return {
            "badge": result_badge(row),
            "took": duration(_seconds(row)),
            "asked_by": person_names([row.asked_by]).get(row.asked_by, row.asked_by),
            "counts": [(name.replace("_", " "), count) for name, count in row.counts.items()],
            "by_check": by_check.most_common(),
            "faults": [{**fault, "subject": _linked(fault["subject"])} for fault in row.faults[:SHOWN]],
            "hidden": row.fault_count - min(len(row.faults), SHOWN),
        }


def result_badge(report: ReconciliationReport) -> SafeString:
    """Return the result of a reconciliation as a badge."""
    if report.ok:
        return badge("Nothing is missing", "good")
    return badge("1 fault" if report.fault_count == 1 else f"{report.fault_count:,} faults", "bad")


def _seconds(report: ReconciliationReport) -> float:
    return (report.finished_at - report.started_at).total_seconds()


def _linked(subject: str) -> SafeString:
    kind, _, key = subject.partition(":")
    return subject_link(kind, key)
