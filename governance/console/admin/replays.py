"""Replays: what a draft would have decided in recorded decisions."""

import json

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.base import StoryAdmin, actor_of
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import choice_badge, link, moment, page_url
from governance.console.replay_story import dimension_bars, flip_chart, progress_percent
from governance.console.subjects import person_names
from governance.console.types import Cleaned, Context
from governance.decisions.choices import FlipDirection, ReplayState
from governance.decisions.models import ReplayReport
from governance.decisions.replay import OPEN, cancel_replay
from governance.rulebook.models import PolicyDraft

FLIPS_PER_PAGE = 50


@admin.register(ReplayReport)
class ReplayReportAdmin(StoryAdmin):
    """Replays of drafts over recorded decisions."""

    intro = (
        "A replay shows what a draft would have decided in recorded decisions, with the facts of that moment. "
        "It changes nothing; a draft needs a recent one before it can be approved."
    )
    empty_title = "No replay yet"
    empty_text = "Open a checked draft and replay it."
    story_template = "console/replay.html"
    list_display = ["draft_", "state_", "progress", "to_deny", "to_permit", "skipped", "when"]
    list_filter = [("state", ChoicesCheckboxFilter)]
    search_ids = ("id",)
    row_pages = {"cancel": "cancel_page"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReplayReport]:
        """Return the rows with what the list shows beside their columns."""
        reports: QuerySet[ReplayReport] = super().get_queryset(request).select_related("draft")
        return reports.defer("draft__content")

    @admin.display(description="Draft")
    def draft_(self, report: ReplayReport) -> str:
        """Return the draft by number and title."""
        return str(report.draft)

    @admin.display(description="State", ordering="state")
    def state_(self, report: ReplayReport) -> SafeString:
        """Return the state as a badge."""
        return choice_badge(report.state, report.get_state_display())

    @admin.display(description="Replayed")
    def progress(self, report: ReplayReport) -> str:
        """Return how many decisions were replayed, of how many."""
        return f"{report.done:,} of {report.total:,}"

    @admin.display(description="Asked for (UTC)", ordering="asked_at")
    def when(self, report: ReplayReport) -> SafeString:
        """Return when it was asked for, in UTC."""
        return moment(report.asked_at)

    def story(self, request: HttpRequest, row: ReplayReport) -> Context:
        """Return what the page of a row shows."""
        direction = request.GET.get("direction", "")
        flips = row.flips.select_related("decision").order_by("id")
        if direction in FlipDirection.values:
            flips = flips.filter(direction=direction)
        names = person_names([row.asked_by])
        return {
            "draft": PolicyDraft.objects.defer("content").get(pk=row.draft_id),
            "draft_link": link(row.draft),
            "state": choice_badge(row.state, row.get_state_display()),
            "going_on": row.state in OPEN,
            "percent": progress_percent(row),
            "can_cancel": row.state in OPEN and request.user.has_perm("decisions.add_replayreport"),
            "fresh_content": row.draft_digest == row.draft.digest,
            "unchanged": row.done - row.skipped - row.to_deny - row.to_permit,
            "not_by_draft": row.flips.filter(by_draft=False).count(),
            "dimensions": dimension_bars(row),
            "chart": json.dumps(flip_chart(row)) if row.to_deny or row.to_permit else "",
            "direction": direction,
            "flips": Paginator(flips, FLIPS_PER_PAGE).get_page(request.GET.get("page")),
            "asked_by": names.get(row.asked_by, row.asked_by),
            "finished": row.state == ReplayState.FINISHED,
            "ledger": timeline(SubjectRef("replay", str(row.pk))),
        }

    def cancel_page(self, request: HttpRequest, row: ReplayReport) -> HttpResponse:
        """Stop a running replay."""
        require(request, "decisions.add_replayreport")
        page = Page(
            title="Stop this replay",
            submit="Stop it",
            back=page_url(row),
            danger=True,
            intro="What was found so far stays; the draft needs another replay before it can be approved.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            cancel_replay(report=row, actor=actor_of(request))
            messages.success(request, "The replay was stopped.")
            return HttpResponseRedirect(page_url(row))

        return form_page(request, admin=self, page=page, form=Form(**sent(request)), perform=perform, row=row)
