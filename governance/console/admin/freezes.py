"""The emergency brake of policy."""

from typing import Any

from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.base import StoryAdmin, actor_of
from governance.console.forms.drafts import ReasonForm
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import badge, list_url, moment, page_url
from governance.console.subjects import person_names
from governance.console.types import Cleaned, Context
from governance.rulebook.freeze import freeze_policy, lift_freeze, withdraw_lift
from governance.rulebook.models import PolicyFreeze
from governance.rulebook.queries import active_freeze


@admin.register(PolicyFreeze)
class PolicyFreezeAdmin(StoryAdmin):
    """Freezes of policy: when, why, and who lifted them."""

    intro = (
        "A freeze denies everything, in every process, from the next decision on. One person freezes; two different "
        "persons lift it."
    )
    empty_title = "The policy was never frozen"
    empty_text = "Use the brake when policy itself is in doubt. Nothing is released while it holds."
    list_before_template = "console/freeze_banner.html"
    story_template = "console/freeze.html"
    list_display = ["state_badge", "reason", "by", "when", "until"]
    list_pages = {"begin": "freeze_page"}
    row_pages = {"lift": "lift_page", "keep": "keep_page"}

    def prepare(self, rows: list[Any]) -> None:
        """Look up who froze, for all rows at once."""
        names = person_names([row.frozen_by for row in rows])
        for row in rows:
            row.frozen_by_name = names.get(row.frozen_by, row.frozen_by)

    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        """Answer with the list and the notices above it."""
        banner = {"freeze": active_freeze(), "can_freeze": request.user.has_perm("rulebook.add_policyfreeze")}
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **banner})
        return response

    @admin.display(description="State")
    def state_badge(self, freeze: PolicyFreeze) -> SafeString:
        """Return the state as a badge."""
        return badge("Frozen", "bad") if freeze.active else badge("Lifted", "quiet")

    @admin.display(description="Frozen by")
    def by(self, freeze: Any) -> str:
        """Return who froze policy."""
        return str(freeze.frozen_by_name)

    @admin.display(description="Frozen (UTC)", ordering="frozen_at")
    def when(self, freeze: PolicyFreeze) -> SafeString:
        """Return when it was frozen, in UTC."""
        return moment(freeze.frozen_at)

    @admin.display(description="Lifted (UTC)", ordering="lifted_at")
    def until(self, freeze: PolicyFreeze) -> SafeString:
        """Return when it was lifted, in UTC."""
        return moment(freeze.lifted_at)

    def story(self, request: HttpRequest, row: PolicyFreeze) -> Context:
        """Return what the page of a row shows."""
        names = person_names([row.frozen_by, row.lift_asked_by, row.lifted_by])
        me = str(actor_of(request))
        return {
            "frozen_by": names.get(row.frozen_by, row.frozen_by),
            "asked_by": names.get(row.lift_asked_by, row.lift_asked_by),
            "lifted_by": names.get(row.lifted_by, row.lifted_by),
            "may_lift": row.active and request.user.has_perm("rulebook.change_policyfreeze"),
            "i_asked": row.lift_asked_by == me,
            "ledger": timeline(SubjectRef("freeze", str(row.pk))),
        }

    def freeze_page(self, request: HttpRequest) -> HttpResponse:
        """Ask for a reason and freeze."""
        require(request, "rulebook.add_policyfreeze")
        page = Page(
            title="Freeze the policy",
            submit="Deny everything now",
            back=list_url(PolicyFreeze),
            danger=True,
            intro="Every request is denied with the reason policy_frozen, and no permit can be used, until two persons "
            "lift this.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            freeze = freeze_policy(actor=actor_of(request), reason=data["reason"])
            messages.warning(request, "The policy is frozen: everything is denied.")
            return HttpResponseRedirect(page_url(freeze))

        return form_page(request, admin=self, page=page, form=ReasonForm(**sent(request)), perform=perform)

    def lift_page(self, request: HttpRequest, row: PolicyFreeze) -> HttpResponse:
        """Request the end of the freeze, or confirm a request."""
        require(request, "rulebook.change_policyfreeze")
        second = bool(row.lift_asked_by)
        page = Page(
            title="Lift the freeze" if second else "Ask for the freeze to be lifted",
            submit="Lift it now" if second else "Ask for it",
            back=page_url(row),
            danger=second,
            intro="Somebody asked for this; with your agreement policy decides again."
            if second
            else "Policy decides again once a second person agrees.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            freeze = lift_freeze(freeze=row, actor=actor_of(request))
            text = "A second person must agree." if freeze.active else "The freeze is lifted: policy decides again."
            messages.success(request, text)
            return HttpResponseRedirect(page_url(freeze))

        return form_page(request, admin=self, page=page, form=Form(**sent(request)), perform=perform, row=row)

    def keep_page(self, request: HttpRequest, row: PolicyFreeze) -> HttpResponse:
        """Withdraw the request to lift a freeze."""
        require(request, "rulebook.change_policyfreeze")
        page = Page(
            title="Keep the freeze", submit="Keep it", back=page_url(row), intro="The request to lift is withdrawn."
        )

        def perform(data: Cleaned) -> HttpResponse:
            return HttpResponseRedirect(page_url(withdraw_lift(freeze=row, actor=actor_of(request))))

        return form_page(request, admin=self, page=page, form=Form(**sent(request)), perform=perform, row=row)
