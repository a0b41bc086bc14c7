"""Licences, their versions, and proposals of new ones."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from governance.audit.queries import timeline
from governance.catalog.choices import ProposalState
from governance.console.base import StoryAdmin, actor_of
from governance.console.comparison import ShownField, listed
from governance.console.forms.licences import LicenceForm
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import EMPTY, chips, choice_badge, code, list_url, moment, page_url
from governance.console.proposal_admin import ProposalAdmin
from governance.console.proposal_story import ProposalWay, permission
from governance.console.version_story import open_proposals, version_views
from governance.kernel import clock
from governance.kernel.canonical import Json
from governance.registry.licence_terms import LicenceContent, checked_licence
from governance.registry.licences import (
    LICENCE_WAY,
    licence_changes_since,
    propose_licence,
    revise_licence_proposal,
)
from governance.registry.models import Licence, LicenceProposal, LicenceVersion
from governance.registry.queries import licence_state
from governance.registry.states import LICENCES
from governance.workflows.impact import licence_impact
from governance.workflows.levels import put_licence_in_force

FIELDS = (
    ShownField("name", "Name"),
    ShownField("purposes", "Purposes", as_set=True),
    ShownField("regions", "Regions", text=listed("everywhere")),
    ShownField("partners", "Partners", text=listed("every partner")),
    ShownField("valid_from", "From (UTC)"),
    ShownField("valid_until", "Until (UTC)"),
    ShownField("obligations", "Obligations", as_set=True),
    ShownField("terms_url", "Terms"),
)
PROPOSE = permission(LicenceProposal, "add")


def _said(version: LicenceVersion | None) -> dict[str, Json] | None:
    return LicenceContent.of(version).to_json() if version is not None else None


@admin.register(Licence)
class LicenceAdmin(StoryAdmin):
    """Under which terms models may run."""

    intro = (
        "Who may use a model, for which purposes, in which regions and until when, and what has to be done with every "
        "output. A licence changes by a proposal that a second person approves; it holds from the next decision on."
    )
    empty_text = "A model needs a licence: propose one first."
    list_before_template = "console/versioned_banner.html"
    story_template = "console/licence.html"
    list_display = [
        "name", "slug_", "version_", "state", "purposes_", "regions_", "partners_", "models_", "open_", "until",
    ]  # fmt: skip
    search_fields = ["name", "slug__exact"]
    list_pages = {"propose": "propose_page"}
    row_pages = {"edit": "edit_page"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Licence]:
        licences: QuerySet[Licence] = super().get_queryset(request)
        waiting = Count("proposals", filter=Q(proposals__state=ProposalState.OPEN), distinct=True)
        return licences.select_related("in_force").annotate(
            model_count=Count("models", distinct=True), open_count=waiting
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        banner = {
            "waiting": open_proposals(LicenceProposal),
            "propose_url": "admin:registry_licence_propose" if request.user.has_perm(PROPOSE) else "",
            "propose_label": "Propose a new licence",
        }
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **banner})
        return response

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, licence: Licence) -> SafeString:
        return code(licence.slug)

    @admin.display(description="In force", ordering="in_force__number")
    def version_(self, licence: Licence) -> str:
        return f"Version {licence.in_force.number}"

    @admin.display(description="State")
    def state(self, licence: Licence) -> SafeString:
        now = licence_state(licence, clock.now())
        return choice_badge(now.value, str(now.label))

    @admin.display(description="Purposes")
    def purposes_(self, licence: Licence) -> SafeString:
        return chips(licence.purposes, empty="none")

    @admin.display(description="Regions")
    def regions_(self, licence: Licence) -> SafeString:
        return chips(licence.regions, empty="everywhere")

    @admin.display(description="Partners")
    def partners_(self, licence: Licence) -> SafeString:
        return chips(licence.partners, empty="every partner")

    @admin.display(description="Models", ordering="model_count")
    def models_(self, licence: Any) -> int:
        return int(licence.model_count)

    @admin.display(description="Proposals", ordering="open_count")
    def open_(self, licence: Any) -> SafeString | str:
        return f"{licence.open_count} open" if licence.open_count else EMPTY

    @admin.display(description="Until (UTC)", ordering="valid_until")
    def until(self, licence: Licence) -> SafeString:
        return moment(licence.valid_until)

    def story(self, request: HttpRequest, row: Licence) -> dict[str, Any]:
        now = licence_state(row, clock.now())
        return {
            "in_force": row.in_force,
            "state": choice_badge(now.value, str(now.label)),
            "said": version_views([row.in_force], fields=FIELDS, said=_said)[0].changes,
            "versions": version_views(
                list(row.versions.select_related("proposal").order_by("-number")), fields=FIELDS, said=_said
            ),
            "models": row.models.all(),
            "waiting": open_proposals(LicenceProposal, row.slug),
            "can_propose": request.user.has_perm(PROPOSE),
            "ledger": timeline(LICENCES.ref(row)),
        }

    def propose_page(self, request: HttpRequest) -> HttpResponse:
        """Propose a licence that is not there yet."""
        return _licence_page(request, self, licence=None, proposal=None)

    def edit_page(self, request: HttpRequest, row: Licence) -> HttpResponse:
        """Propose what a licence shall say from then on."""
        return _licence_page(request, self, licence=row, proposal=None)


def _licence_page(
    request: HttpRequest,
    page_of: LicenceAdmin | ProposalAdmin,
    *,
    licence: Licence | None,
    proposal: LicenceProposal | None,
) -> HttpResponse:
    """Ask what a licence shall say, and write or edit the proposal of it."""
    require(request, PROPOSE)
    row = proposal or licence
    said = LicenceContent.of(licence.in_force) if licence is not None else None
    form = LicenceForm(
        **sent(request),
        content=LicenceContent.from_json(proposal.content) if proposal is not None else said,
        slug=row.slug if row is not None else "",
        initial={
            "base": licence.in_force_id if licence is not None else None,
            "reason": proposal.reason if proposal is not None else "",
        },
    )
    page = Page(
        title=_title(licence, proposal),
        submit="Save the proposal" if proposal is not None else "Propose",
        back=page_url(row) if row is not None else list_url(Licence),
        intro="Nothing changes yet: you see what it opens and closes on the next page, and somebody else approves it.",
        template="console/propose_version.html",
        extra={"stale": licence_changes_since(proposal) if proposal is not None else ""},
    )

    def perform(data: dict[str, Any]) -> HttpResponse:
        base, reason, actor = _version(data["base"]), data["reason"], actor_of(request)
        content = checked_licence(slug=data["slug"], content=form.content(data))
        if proposal is None:
            saved = propose_licence(slug=data["slug"], content=content, base=base, reason=reason, actor=actor)
        else:
            saved = revise_licence_proposal(proposal=proposal, content=content, base=base, reason=reason, actor=actor)
        messages.success(request, "The proposal was saved. Look at what it opens and closes.")
        return HttpResponseRedirect(page_url(saved))

    return form_page(request, admin=page_of, page=page, form=form, perform=perform, row=row)


def _title(licence: Licence | None, proposal: LicenceProposal | None) -> str:
    if proposal is not None:
        return f"Edit the proposal “{proposal.reason}”"
    return f"Propose a change of “{licence}”" if licence is not None else "Propose a new licence"


def _version(key: UUID | None) -> LicenceVersion | None:
    return LicenceVersion.objects.filter(pk=key).first() if key is not None else None


@admin.register(LicenceProposal)
class LicenceProposalAdmin(ProposalAdmin):
    """Versions of licences on their way into force."""

    intro = (
        "Proposed versions of licences. A second person approves them; what provably permits less may be put into "
        "force by one."
    )
    empty_title = "No proposal yet"
    empty_text = "Open a licence and propose a change."
    list_select_related = ["licence", "base"]
    way = ProposalWay(
        proposals=LICENCE_WAY,
        fields=FIELDS,
        put_in_force=put_licence_in_force,
        impact=licence_impact,
        changes_since=licence_changes_since,
        before=lambda proposal: _said(proposal.base),
        target=lambda proposal: proposal.licence,
    )

    def edit_page(self, request: HttpRequest, row: LicenceProposal) -> HttpResponse:
        licence = Licence.objects.select_related("in_force").filter(slug=row.slug).first()
        return _licence_page(request, self, licence=licence, proposal=row)
