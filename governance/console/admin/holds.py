"""Legal holds on WORM objects."""

from typing import Any

from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter

from governance.audit.keeping.holds import ask_release, release_hold, withdraw_release
from governance.audit.models import LegalHold
from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.base import StoryAdmin, actor_of
from governance.console.forms.drafts import ReasonForm
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import badge, link, moment, page_url, short_uri
from governance.console.subjects import person_names
from governance.console.types import Cleaned, Context


@admin.register(LegalHold)
class LegalHoldAdmin(StoryAdmin):
    """Objects that must stay, and who released them."""

    intro = "An object under legal hold stays, whatever its retention says. One person sets a hold, two release it."
    empty_title = "Nothing is under legal hold"
    empty_text = "Open a WORM object and set a hold on it."
    story_template = "console/hold.html"
    list_display = ["state_badge", "object_", "reason", "by", "when", "until"]
    list_filter = ["active", ("set_at", RangeDateTimeFilter)]
    search_fields = ["reason", "reference__uri"]
    search_help_text = "A word of the reason, or a URI"
    list_select_related = ["reference"]
    row_pages = {"release": "release_page", "keep": "keep_page"}

    def prepare(self, rows: list[Any]) -> None:
        """Look up the names of people, for all rows at once."""
        with_names(rows)

    @admin.display(description="State")
    def state_badge(self, hold: LegalHold) -> SafeString:
        """Return the state as a badge."""
        return hold_badge(hold)

    @admin.display(description="Object")
    def object_(self, hold: LegalHold) -> SafeString:
        """Return where the object lies, shortened."""
        return short_uri(hold.reference.uri)

    @admin.display(description="Set by")
    def by(self, hold: Any) -> str:
        """Return who set the hold."""
        return str(hold.set_by_name)

    @admin.display(description="Set (UTC)", ordering="set_at")
    def when(self, hold: LegalHold) -> SafeString:
        """Return when it was set, in UTC."""
        return moment(hold.set_at)

    @admin.display(description="Released (UTC)", ordering="released_at")
    def until(self, hold: LegalHold) -> SafeString:
        """Return when it was released, in UTC."""
        return moment(hold.released_at)

    def story(self, request: HttpRequest, row: LegalHold) -> Context:
        """Return what the page of a row shows."""
        return {
            "hold": with_names([row])[0],
            "state": hold_badge(row),
            "object": link(row.reference, row.reference.uri),
            "may_release": row.active and request.user.has_perm("audit.change_legalhold"),
            "i_asked": row.release_asked_by == str(actor_of(request)),
            "ledger": timeline(SubjectRef("worm", str(row.reference_id))),
        }

    def release_page(self, request: HttpRequest, row: LegalHold) -> HttpResponse:
        """Request the release of a hold, or confirm a request."""
        require(request, "audit.change_legalhold")
        second = bool(row.release_asked_by)
        page = Page(
            title="Release the hold" if second else "Ask for the hold to be released",
            submit="Release it now" if second else "Ask for it",
            back=page_url(row),
            danger=second,
            intro="Somebody asked for this; with your agreement only the retention keeps the object."
            if second
            else "The hold ends once a second person agrees.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            actor = actor_of(request)
            if second:
                release_hold(hold=row, actor=actor)
            else:
                ask_release(hold=row, actor=actor, reason=data["reason"])
            text = "The hold is released." if second else "A second person must agree."
            messages.success(request, text)
            return HttpResponseRedirect(page_url(row))

        form = Form(**sent(request)) if second else ReasonForm(**sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def keep_page(self, request: HttpRequest, row: LegalHold) -> HttpResponse:
        """Withdraw the request to release a hold."""
        require(request, "audit.change_legalhold")
        page = Page(
            title="Keep the hold", submit="Keep it", back=page_url(row), intro="The request to release it is withdrawn."
        )

        def perform(data: Cleaned) -> HttpResponse:
            return HttpResponseRedirect(page_url(withdraw_release(hold=row, actor=actor_of(request))))

        return form_page(request, admin=self, page=page, form=Form(**sent(request)), perform=perform, row=row)


def hold_badge(hold: LegalHold) -> SafeString:
    """Return the badge of a hold's state."""
    if not hold.active:
        return badge("Released")
    return badge("Release asked for", "busy") if hold.release_asked_by else badge("Held", "warn")


def with_names(holds: list[Any]) -> list[Any]:
    """Return the holds, each with its badge and with the names of the people involved."""
    names = person_names([actor for hold in holds for actor in (hold.set_by, hold.release_asked_by, hold.released_by)])
    for hold in holds:
        hold.state = hold_badge(hold)
        hold.set_by_name = names.get(hold.set_by, hold.set_by)
        hold.release_asked_by_name = names.get(hold.release_asked_by, hold.release_asked_by)
        hold.released_by_name = names.get(hold.released_by, hold.released_by)
    return holds
