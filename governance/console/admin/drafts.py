"""Policy drafts: proposing, checking, replaying, reviewing, activating."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from governance.console.base import StoryAdmin, actor_of
from governance.console.draft_story import draft_story
from governance.console.forms.drafts import ApproveForm, CommentForm, NeededCommentForm, ProposeForm, ReplayForm
from governance.console.pages import Page, form_page, require, sent
from governance.console.policy_changes import pending_changes
from governance.console.presentation import choice_badge, list_url, moment, page_url
from governance.console.subjects import person_names
from governance.console.types import Cleaned, Context
from governance.rulebook.activation import activate_draft
from governance.rulebook.lifecycle import (
    approve_draft,
    check_draft,
    open_draft,
    refresh_draft,
    reject_draft,
    submit_draft,
)
from governance.rulebook.models import AbacRule, PolicyDraft
from governance.workflows.replay import start_replay

WRITE, REVIEW, ACTIVATE = (
    "rulebook.change_policydraft",
    "rulebook.review_policydraft",
    "rulebook.activate_policydraft",
)
Step = Callable[[dict[str, Any]], str]


@admin.register(PolicyDraft)
class PolicyDraftAdmin(StoryAdmin):
    """Proposed sets of rules."""

    intro = (
        "A draft copies the current rules. It is checked on every engine, replayed against recorded decisions, and "
        "approved by somebody who wrote none of it. Only then can it be activated."
    )
    empty_title = "No draft yet"
    empty_text = "Change a rule, then propose a draft."
    story_template = "console/draft.html"
    list_display = ["name", "state_", "rule_count", "author", "approver", "when"]
    list_filter = [("state", ChoicesCheckboxFilter)]
    search_ids = ("id",)
    search_fields = ["title", "note", "digest__startswith"]
    search_help_text = "A word of the title or note, or the beginning of a digest"
    list_pages = {"propose": "propose_page"}
    row_pages = {
        "check": "check_page",
        "replay": "replay_page",
        "submit": "submit_page",
        "approve": "approve_page",
        "reject": "reject_page",
        "refresh": "refresh_page",
        "activate": "activate_page",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyDraft]:
        """Return the rows with what the list shows beside their columns."""
        drafts: QuerySet[PolicyDraft] = super().get_queryset(request)
        return drafts.defer("content")

    def prepare(self, rows: list[Any]) -> None:
        """Look up the names of authors and approvers, for all rows at once."""
        names = person_names([*(row.created_by for row in rows), *(row.approved_by for row in rows)])
        for row in rows:
            row.author_name = names.get(row.created_by, row.created_by)
            row.approver_name = names.get(row.approved_by, row.approved_by)

    @admin.display(description="Draft", ordering="number")
    def name(self, draft: PolicyDraft) -> str:
        """Return the draft by number and title."""
        return str(draft)

    @admin.display(description="State", ordering="state")
    def state_(self, draft: PolicyDraft) -> SafeString:
        """Return the state as a badge."""
        return choice_badge(draft.state, draft.get_state_display())

    @admin.display(description="Proposed by")
    def author(self, draft: Any) -> str:
        """Return who proposed it."""
        return str(draft.author_name)

    @admin.display(description="Approved by")
    def approver(self, draft: Any) -> str:
        """Return who approved it."""
        return str(draft.approver_name or "–")

    @admin.display(description="Last step (UTC)", ordering="updated_at")
    def when(self, draft: PolicyDraft) -> SafeString:
        """Return when the last step was made, in UTC."""
        return moment(draft.updated_at)

    def story(self, request: HttpRequest, row: PolicyDraft) -> Context:
        """Return what the page of a row shows."""
        return draft_story(row, user=request.user, me=str(actor_of(request)))

    def propose_page(self, request: HttpRequest) -> HttpResponse:
        """Show what would change, then open and check a draft."""
        require(request, "rulebook.add_policydraft")
        pending = pending_changes()
        page = Page(
            title="Propose a draft",
            submit="Propose and check",
            back=list_url(AbacRule),
            template="console/propose.html",
            extra={"pending": pending, "readonly": not pending.any or bool(pending.problems)},
        )

        def perform(data: Cleaned) -> HttpResponse:
            draft = open_draft(title=data["title"], note=data["note"], actor=actor_of(request))
            draft = check_draft(draft=draft, actor=actor_of(request))
            messages.success(request, f"{draft} was opened. Now replay it against recorded decisions.")
            return HttpResponseRedirect(page_url(draft))

        return form_page(request, admin=self, page=page, form=ProposeForm(**sent(request)), perform=perform)

    def check_page(self, request: HttpRequest, row: PolicyDraft) -> HttpResponse:
        """Check the draft again."""

        def step(_: Cleaned) -> str:
            draft = check_draft(draft=row, actor=actor_of(request))
            return "The draft has problems." if draft.check_report["problems"] else "The draft is sound."

        page = self._page(row, "Check the draft", "Check", "It is compiled for every engine and tested with all cases.")
        return self._step(request, row, page=page, needs=WRITE, form=Form(**sent(request)), step=step)

    def replay_page(self, request: HttpRequest, row: PolicyDraft) -> HttpResponse:
        """Ask for a replay and go to its report."""
        require(request, "decisions.add_replayreport")
        page = self._page(
            row, "Replay the draft", "Start the replay", "What would it have decided for recorded decisions?"
        )

        def perform(data: Cleaned) -> HttpResponse:
            window = {name: data[name] for name in ("since", "until", "sample_percent")}
            report = start_replay(draft=row, actor=actor_of(request), **window)
            messages.success(request, "The replay continues in the background.")
            return HttpResponseRedirect(page_url(report))

        return form_page(request, admin=self, page=page, form=ReplayForm(**sent(request)), perform=perform, row=row)

    def submit_page(self, request: HttpRequest, row: PolicyDraft) -> HttpResponse:
        """Submit the draft for review."""

        def step(data: Cleaned) -> str:
            submit_draft(draft=row, actor=actor_of(request), comment=data["comment"])
            return "The draft is in review."

        page = self._page(row, "Submit for review", "Submit", "A person who wrote none of it must approve it.")
        return self._step(request, row, page=page, needs=WRITE, form=CommentForm(**sent(request)), step=step)

    def approve_page(self, request: HttpRequest, row: PolicyDraft) -> HttpResponse:
        """Approve exactly what is shown."""

        def step(data: Cleaned) -> str:
            approve_draft(draft=row, digest=data["digest"], actor=actor_of(request), comment=data["comment"])
            return "The draft is approved. It decides once it is activated."

        form = ApproveForm(**sent(request), initial={"digest": row.digest})
        page = self._page(row, "Approve the draft", "Approve", f"You approve the content {row.digest[:12]}… exactly.")
        return self._step(request, row, page=page, needs=REVIEW, form=form, step=step)

    def reject_page(self, request: HttpRequest, row: PolicyDraft) -> HttpResponse:
        """Reject the draft and say why."""

        def step(data: Cleaned) -> str:
            reject_draft(draft=row, actor=actor_of(request), comment=data["comment"])
            return "The draft was rejected."

        page = self._page(row, "Reject the draft", "Reject", "The authors read your comment.", danger=True)
        needs = REVIEW if request.user.has_perm(REVIEW) else WRITE
        return self._step(request, row, page=page, needs=needs, form=NeededCommentForm(**sent(request)), step=step)

    def refresh_page(self, request: HttpRequest, row: PolicyDraft) -> HttpResponse:
        """Update the draft to the current rules."""

        def step(_: Cleaned) -> str:
            check_draft(draft=refresh_draft(draft=row, actor=actor_of(request)), actor=actor_of(request))
            return "The draft holds the rules as they are now. It must be replayed and reviewed again."

        page = self._page(row, "Take the rules again", "Take them", "What was checked, replayed or approved is void.")
        return self._step(request, row, page=page, needs=WRITE, form=Form(**sent(request)), step=step)

    def activate_page(self, request: HttpRequest, row: PolicyDraft) -> HttpResponse:
        """Put an approved draft into force."""

        def step(_: Cleaned) -> str:
            return f"{activate_draft(draft=row, actor=actor_of(request))} is active. It decides from now on."

        page = self._page(
            row, "Activate the draft", "Activate now", "Every process decides by it from the next decision on."
        )
        return self._step(request, row, page=page, needs=ACTIVATE, form=Form(**sent(request)), step=step)

    def _page(self, row: PolicyDraft, title: str, submit: str, intro: str, *, danger: bool = False) -> Page:
        return Page(title=f"{title} “{row.title}”", submit=submit, back=page_url(row), intro=intro, danger=danger)

    def _step(
        self, request: HttpRequest, row: PolicyDraft, *, page: Page, needs: str, form: Form, step: Step
    ) -> HttpResponse:
        require(request, needs)

        def perform(data: Cleaned) -> HttpResponse:
            messages.success(request, step(data))
            return HttpResponseRedirect(page_url(row))

        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)
