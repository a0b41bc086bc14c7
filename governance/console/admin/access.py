"""Proposals of more access for users and groups, and the second person's decision."""

from typing import Any

from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from governance.audit.queries import timeline
from governance.console.access import access_codes, approve_access, reject_access, subject_of
from governance.console.base import StoryAdmin, actor_of
from governance.console.choices import AccessKind
from governance.console.entries import ACCESS_PROPOSAL
from governance.console.models import AccessProposal
from governance.console.pages import Page, form_page, require, sent
from governance.console.powers import powers
from governance.console.presentation import badge, moment, page_url
from governance.console.subjects import person_names
from governance.console.types import Cleaned, Context

TONES = {"open": "warn", "approved": "good", "rejected": "bad", "withdrawn": "quiet"}


@admin.register(AccessProposal)
class AccessProposalAdmin(StoryAdmin):
    """What waits for a second person, and what was decided."""

    intro = (
        "More access that can widen what is allowed, such as a role that writes or approves policy. One person "
        "proposes it on the page of the user or group; another one, who holds it too, approves it here."
    )
    empty_title = "Nothing was proposed yet"
    empty_text = "Give a user a role, or a group a permission; what needs a second person appears here."
    story_template = "console/access_proposal.html"
    list_display = ["reason", "kind_", "state_", "proposer", "when"]
    list_filter = [("state", ChoicesCheckboxFilter)]
    search_ids = ("id",)
    row_pages = {"approve": "approve_page", "reject": "reject_page"}

    def prepare(self, rows: list[Any]) -> None:
        """Look up who proposed, for all rows at once."""
        names = person_names([row.proposed_by for row in rows])
        for row in rows:
            row.proposer_name = names.get(row.proposed_by, row.proposed_by)

    @admin.display(description="Asks for")
    def kind_(self, proposal: AccessProposal) -> str:
        """Return what it asks for."""
        return proposal.get_kind_display()

    @admin.display(description="State", ordering="state")
    def state_(self, proposal: AccessProposal) -> SafeString:
        """Return the state as a badge."""
        return badge(proposal.get_state_display(), TONES[proposal.state])

    @admin.display(description="Proposed by")
    def proposer(self, proposal: Any) -> str:
        """Return who proposed it."""
        return str(proposal.proposer_name)

    @admin.display(description="Proposed (UTC)", ordering="proposed_at")
    def when(self, proposal: AccessProposal) -> SafeString:
        """Return when it was proposed, in UTC."""
        return moment(proposal.proposed_at)

    def story(self, request: HttpRequest, row: AccessProposal) -> Context:
        """Return what the page of a row shows."""
        names, codes = person_names([row.proposed_by, row.decided_by]), access_codes(row)
        return {
            "state_badge": self.state_(row),
            "subject": subject_of(row),
            "proposer": names.get(row.proposed_by, row.proposed_by),
            "decider": names.get(row.decided_by, row.decided_by),
            "powers": sorted(powers(codes)),
            "views": sorted(codes - powers(codes)),
            "own": str(actor_of(request)) == row.proposed_by,
            "may_decide": row.is_open and request.user.has_perm(_needed(row)),
            "ledger": timeline(ACCESS_PROPOSAL.ref(row)),
        }

    def approve_page(self, request: HttpRequest, row: AccessProposal) -> HttpResponse:
        """Give what was proposed, after asking once more."""
        page = Page(
            title=f"Approve “{row}”?",
            submit="Approve",
            back=page_url(row),
            intro=(
                "It takes effect at once. Make sure, with the person and not only on this page, that the account is "
                "theirs and that they have signed in with a second factor of their own."
            ),
        )
        return self._decide(request, row, page, approve_access, "Approved.")

    def reject_page(self, request: HttpRequest, row: AccessProposal) -> HttpResponse:
        """End a proposal without effect, after asking once more."""
        page = Page(
            title=f"Reject “{row}”?", submit="Reject", back=page_url(row), intro="Nothing changes.", danger=True
        )
        return self._decide(request, row, page, reject_access, "The proposal has ended.")

    def _decide(self, request: HttpRequest, row: AccessProposal, page: Page, service: Any, said: str) -> HttpResponse:
        require(request, _needed(row))

        def perform(data: Cleaned) -> HttpResponse:
            service(proposal=row, actor=actor_of(request))
            messages.success(request, said)
            return HttpResponseRedirect(page_url(row))

        return form_page(request, admin=self, page=page, form=Form(**sent(request)), perform=perform, row=row)


def _needed(row: AccessProposal) -> str:
    return "auth.change_group" if row.kind == AccessKind.PERMISSIONS else "auth.change_user"
