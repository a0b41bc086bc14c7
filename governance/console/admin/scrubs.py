"""Scrubs: whether the bytes in WORM storage are unchanged."""

from typing import Any

from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from governance.audit.choices import ScrubState
from governance.audit.keeping.scrub import cancel_scrub
from governance.audit.models import ScrubRun
from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.base import StoryAdmin, actor_of
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import badge, choice_badge, list_url, moment, page_url, size
from governance.console.subjects import person_names
from governance.console.types import Cleaned, Context
from governance.workflows.scrub import start_scrub

FAULTS_SHOWN = 200


@admin.register(ScrubRun)
class ScrubRunAdmin(StoryAdmin):
    """Runs that read all of WORM storage back."""

    intro = (
        "A scrub reads every WORM object back and rehashes it, since stored bytes can decay. It also extends "
        "what its retention class now keeps longer. One starts every night; it reads slowly."
    )
    empty_title = "Nothing was scrubbed yet"
    empty_text = "Start one, or wait for the night."
    list_before_template = "console/scrub_banner.html"
    story_template = "console/scrub.html"
    list_display = ["when", "state_", "progress", "bytes_", "faults_", "by"]
    list_filter = [("state", ChoicesCheckboxFilter)]
    search_ids = ("id",)
    list_pages = {"start": "start_page"}
    row_pages = {"cancel": "cancel_page"}

    def prepare(self, rows: list[Any]) -> None:
        """Look up who asked, for all rows at once."""
        names = person_names([row.asked_by for row in rows])
        for row in rows:
            row.asked_by_name = names.get(row.asked_by, row.asked_by)

    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        """Answer with the list and the notices above it."""
        newest = ScrubRun.objects.first()
        banner = {"newest": newest, "can_start": request.user.has_perm("audit.add_scrubrun")}
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **banner})
        return response

    @admin.display(description="Started (UTC)", ordering="started_at")
    def when(self, run: ScrubRun) -> SafeString:
        """Return when it was started, in UTC."""
        return moment(run.started_at)

    @admin.display(description="State", ordering="state")
    def state_(self, run: ScrubRun) -> SafeString:
        """Return the state as a badge."""
        return choice_badge(run.state, run.get_state_display())

    @admin.display(description="Read")
    def progress(self, run: ScrubRun) -> str:
        """Return how many objects were read, of how many."""
        return f"{run.done:,} of {run.total:,}"

    @admin.display(description="Bytes", ordering="bytes_read")
    def bytes_(self, run: ScrubRun) -> str:
        """Return how many bytes were read."""
        return size(run.bytes_read)

    @admin.display(description="Found")
    def faults_(self, run: ScrubRun) -> SafeString:
        """Return how many faults were found, as a badge."""
        return faults_badge(run)

    @admin.display(description="Asked for by")
    def by(self, run: Any) -> str:
        """Return who asked for it."""
        return str(run.asked_by_name)

    def story(self, request: HttpRequest, row: ScrubRun) -> Context:
        """Return what the page of a row shows."""
        going_on = row.state == ScrubState.RUNNING
        return {
            "state": choice_badge(row.state, row.get_state_display()),
            "found": faults_badge(row),
            "going_on": going_on,
            "can_cancel": going_on and request.user.has_perm("audit.change_scrubrun"),
            "percent": 100 if not row.total else min(100, row.done * 100 // row.total),
            "bytes": size(row.bytes_read),
            "asked_by": person_names([row.asked_by]).get(row.asked_by, row.asked_by),
            "faults": row.faults[:FAULTS_SHOWN],
            "hidden": max(0, len(row.faults) - FAULTS_SHOWN),
            "ledger": timeline(SubjectRef("scrub", str(row.pk))),
        }

    def start_page(self, request: HttpRequest) -> HttpResponse:
        """Start a scrub now."""
        require(request, "audit.add_scrubrun")
        page = Page(
            title="Scrub WORM storage now",
            submit="Start",
            back=list_url(ScrubRun),
            intro="Every object is read back and hashed again, at the pace that the settings allow.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            return HttpResponseRedirect(page_url(start_scrub(actor=actor_of(request))))

        return form_page(request, admin=self, page=page, form=Form(**sent(request)), perform=perform)

    def cancel_page(self, request: HttpRequest, row: ScrubRun) -> HttpResponse:
        """Stop a running scrub."""
        require(request, "audit.change_scrubrun")
        page = Page(
            title="Stop this scrub",
            submit="Stop it",
            back=page_url(row),
            danger=True,
            intro="What was found so far stays; the next scrub checks the remaining objects.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            cancel_scrub(run=row, actor=actor_of(request))
            messages.success(request, "The scrub was stopped.")
            return HttpResponseRedirect(page_url(row))

        return form_page(request, admin=self, page=page, form=Form(**sent(request)), perform=perform, row=row)


def faults_badge(run: ScrubRun) -> SafeString:
    """Return what a scrub found."""
    count = len(run.faults)
    if count:
        return badge("1 fault" if count == 1 else f"{count:,} faults", "bad")
    return badge("Nothing so far") if run.state == ScrubState.RUNNING else badge("Nothing", "good")
