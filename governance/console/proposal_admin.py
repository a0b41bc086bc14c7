"""What the console pages of every kind of proposal share: the list, the story, and the steps to a decision."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from governance.catalog.proposals import Proposal
from governance.console.base import StoryAdmin, actor_of
from governance.console.forms.proposals import ApprovalForm, NeededStepForm, StepForm
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import choice_badge, code, link, moment, page_url
from governance.console.proposal_story import ProposalWay, impact_counts, may, permission, proposal_story
from governance.console.subjects import person_names
from governance.console.types import Cleaned, Context
from governance.kernel import clock


class ProposalAdmin(StoryAdmin):
    """Proposals of one kind. Subclasses say by which `way` they go, and answer `edit_page`."""

    way: ClassVar[ProposalWay[Any]]
    story_template = "console/proposal.html"
    list_display = ["reason_", "slug_", "direction_", "state_", "author", "decider", "when"]
    list_filter = [("state", ChoicesCheckboxFilter), ("direction", ChoicesCheckboxFilter)]
    search_ids = ("id",)
    search_fields = ["slug__exact", "reason", "digest__startswith"]
    search_help_text = "A slug, a word of the reason, or the beginning of a digest"
    row_pages = {
        "edit": "edit_page",
        "approve": "approve_page",
        "reject": "reject_page",
        "withdraw": "withdraw_page",
    }

    def prepare(self, rows: list[Any]) -> None:
        """Look up what the columns need, for all rows at once."""
        names = person_names([*(row.created_by for row in rows), *(row.decided_by for row in rows)])
        for row in rows:
            row.author_name = names.get(row.created_by, row.created_by)
            row.decider_name = names.get(row.decided_by, row.decided_by)

    @admin.display(description="Proposal")
    def reason_(self, proposal: Proposal) -> str:
        return proposal.reason

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, proposal: Proposal) -> SafeString:
        """Return the slug."""
        target = self.way.target(proposal)
        return link(target, proposal.slug) if target is not None else code(proposal.slug)

    @admin.display(description="Direction", ordering="direction")
    def direction_(self, proposal: Proposal) -> SafeString:
        return choice_badge(proposal.direction, proposal.get_direction_display())

    @admin.display(description="State", ordering="state")
    def state_(self, proposal: Proposal) -> SafeString:
        """Return the state as a badge."""
        return choice_badge(proposal.state, proposal.get_state_display())

    @admin.display(description="Proposed by")
    def author(self, proposal: Any) -> str:
        """Return who proposed it."""
        return str(proposal.author_name)

    @admin.display(description="Decided by")
    def decider(self, proposal: Any) -> str:
        return str(proposal.decider_name or "–")

    @admin.display(description="Last step (UTC)", ordering="updated_at")
    def when(self, proposal: Proposal) -> SafeString:
        """Return when the last step was made, in UTC."""
        return moment(proposal.updated_at)

    def story(self, request: HttpRequest, row: Any) -> Context:
        """Return what the page of a row shows."""
        return proposal_story(request, row, way=self.way, me=str(actor_of(request)))

    def edit_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Edit an open proposal."""
        raise NotImplementedError

    def approve_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Put exactly what is shown into force: approved by somebody else, or narrower by an author."""
        actor = actor_of(request)
        own = str(actor) in row.authors
        require(request, permission(row, "add" if own else "review"))
        page = Page(
            title=f"Put “{row.reason}” into force?" if own else f"Approve “{row.reason}”?",
            submit="Put into force now" if own else "Approve and put into force",
            back=page_url(row),
            intro="It becomes the version in force at once, and nobody edits it afterwards.",
            template="console/proposal_step.html",
            extra={"counts": impact_counts(row, way=self.way, at=clock.now())} if row.is_open else {},
        )

        def perform(data: Cleaned) -> HttpResponse:
            version = self.way.put_in_force(proposal=row, digest=data["digest"], actor=actor, comment=data["comment"])
            messages.success(request, f"In force: {version}.")
            return HttpResponseRedirect(page_url(row))

        form = ApprovalForm(**sent(request), initial={"digest": row.digest})
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def reject_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Reject a proposal and say why."""
        require(request, permission(row, "review"))

        def perform(data: Cleaned) -> HttpResponse:
            self.way.proposals.reject(proposal=row, actor=actor_of(request), comment=data["comment"])
            messages.success(request, "The proposal was rejected.")
            return HttpResponseRedirect(page_url(row))

        page = Page(
            title=f"Reject “{row.reason}”?",
            submit="Reject",
            back=page_url(row),
            intro="Nothing changes. Its authors read your comment.",
            danger=True,
        )
        form = NeededStepForm(**sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def withdraw_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Take back a proposal of one's own."""
        if not may(request.user, row, "add") or str(actor_of(request)) not in row.authors:
            raise PermissionDenied("Only an author withdraws a proposal.")

        def perform(data: Cleaned) -> HttpResponse:
            self.way.proposals.withdraw(proposal=row, actor=actor_of(request), comment=data["comment"])
            messages.success(request, "The proposal was withdrawn.")
            return HttpResponseRedirect(page_url(row))

        page = Page(
            title=f"Withdraw “{row.reason}”?",
            submit="Withdraw",
            back=page_url(row),
            intro="Nothing changes. The proposal stays on record as withdrawn.",
            danger=True,
        )
        form: Form = StepForm(**sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)
