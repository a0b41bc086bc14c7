"""Consent levels, their versions, and proposals of new ones."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from governance.audit.queries import timeline
from governance.catalog.choices import ProposalState
from governance.catalog.level_terms import LevelContent, checked_content
from governance.catalog.levels import (
    LEVEL_PROPOSALS,
    changes_since,
    propose_level,
    revise_level_proposal,
)
from governance.catalog.models import ConsentGrant, ConsentLevel, ConsentLevelProposal, ConsentLevelVersion
from governance.catalog.states import CONSENT_LEVELS
from governance.console.base import StoryAdmin, actor_of
from governance.console.comparison import ShownField
from governance.console.forms.levels import LevelForm
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import EMPTY, code, list_url, page_url, uses
from governance.console.proposal_admin import ProposalAdmin
from governance.console.proposal_story import ProposalWay, permission
from governance.console.types import Cleaned, Context
from governance.console.version_story import open_proposals, version_views
from governance.kernel.canonical import Json
from governance.workflows.impact import level_impact
from governance.workflows.levels import put_level_in_force

FIELDS = (
    ShownField("name", "Name"),
    ShownField("rank", "Rank"),
    ShownField("description", "Description"),
    ShownField("pairs", "Permitted uses", as_set=True),
)
PROPOSE = permission(ConsentLevelProposal, "add")


def _said(version: ConsentLevelVersion | None) -> dict[str, Json] | None:
    return LevelContent.of(version).to_json() if version is not None else None


@admin.register(ConsentLevel)
class ConsentLevelAdmin(StoryAdmin):
    """The sets of uses that creators can grant."""

    intro = (
        "A consent level is a named set of permitted uses: actions for purposes. It changes by a proposal that a "
        "second person approves. What a creator granted never grows by it: a wider version holds for new grants only."
    )
    empty_text = "Propose at least one level before creators can grant consent."
    list_before_template = "console/versioned_banner.html"
    story_template = "console/level.html"
    list_display = ["name", "slug_", "version_", "rank", "uses_", "granted", "open_", "description"]
    search_fields = ["in_force__name", "slug__exact", "in_force__description"]
    search_help_text = "A name, a slug or a word of the description"
    list_select_related = ["in_force"]
    list_pages = {"propose": "propose_page"}
    row_pages = {"edit": "edit_page"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentLevel]:
        """Return the rows with what the list shows beside their columns."""
        levels: QuerySet[ConsentLevel] = super().get_queryset(request)
        waiting = Count("proposals", filter=Q(proposals__state=ProposalState.OPEN), distinct=True)
        return levels.select_related("in_force").annotate(
            grant_count=Count("grants", distinct=True), open_count=waiting
        )

    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        """Answer with the list and the notices above it."""
        banner = {
            "waiting": open_proposals(ConsentLevelProposal),
            "propose_url": "admin:catalog_consentlevel_propose" if request.user.has_perm(PROPOSE) else "",
            "propose_label": "Propose a new level",
        }
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **banner})
        return response

    @admin.display(description="Name", ordering="in_force__name")
    def name(self, level: ConsentLevel) -> str:
        """Return the full name."""
        return level.in_force.name

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, level: ConsentLevel) -> SafeString:
        """Return the slug."""
        return code(level.slug)

    @admin.display(description="In force", ordering="in_force__number")
    def version_(self, level: ConsentLevel) -> str:
        return f"Version {level.in_force.number}"

    @admin.display(description="Rank", ordering="in_force__rank")
    def rank(self, level: ConsentLevel) -> int:
        return level.in_force.rank

    @admin.display(description="Permitted uses")
    def uses_(self, level: ConsentLevel) -> SafeString:
        """Return the pairs of action and purpose."""
        return uses(level.in_force.pairs)

    @admin.display(description="Grants", ordering="grant_count")
    def granted(self, level: Any) -> int:
        """Return how many grants name it."""
        return int(level.grant_count)

    @admin.display(description="Proposals", ordering="open_count")
    def open_(self, level: Any) -> SafeString | str:
        return f"{level.open_count} open" if level.open_count else EMPTY

    @admin.display(description="Description")
    def description(self, level: ConsentLevel) -> str:
        return level.in_force.description

    def story(self, request: HttpRequest, row: ConsentLevel) -> Context:
        """Return what the page of a row shows."""
        versions = list(row.versions.select_related("proposal").order_by("-number"))
        return {
            "in_force": row.in_force,
            "versions": version_views(versions, fields=FIELDS, said=_said),
            "waiting": open_proposals(ConsentLevelProposal, row.slug),
            "creator_count": ConsentGrant.objects.filter(level=row).values("creator").distinct().count(),
            "can_propose": request.user.has_perm(PROPOSE),
            "ledger": timeline(CONSENT_LEVELS.ref(row)),
        }

    def propose_page(self, request: HttpRequest) -> HttpResponse:
        """Propose a level that is not there yet."""
        return _level_page(request, self, level=None, proposal=None)

    def edit_page(self, request: HttpRequest, row: ConsentLevel) -> HttpResponse:
        """Propose what a level shall say from then on."""
        return _level_page(request, self, level=row, proposal=None)


def _level_page(
    request: HttpRequest,
    page_of: ConsentLevelAdmin | ProposalAdmin,
    *,
    level: ConsentLevel | None,
    proposal: ConsentLevelProposal | None,
) -> HttpResponse:
    """Ask what a level shall say, and write or edit the proposal of it."""
    require(request, PROPOSE)
    row = proposal or level
    said = LevelContent.of(level.in_force) if level is not None else None
    content = LevelContent.from_json(proposal.content) if proposal is not None else said
    form = LevelForm(
        **sent(request),
        content=content,
        slug=proposal.slug if proposal is not None else level.slug if level is not None else "",
        initial={
            "base": level.in_force_id if level is not None else None,
            "reason": proposal.reason if proposal is not None else "",
        },
    )
    page = Page(
        title=_title(level, proposal),
        submit="Save the proposal" if proposal is not None else "Propose",
        back=page_url(row) if row is not None else list_url(ConsentLevel),
        intro="Nothing changes yet: you see what it opens and closes on the next page, and somebody else approves it.",
        template="console/propose_version.html",
        extra={"stale": changes_since(proposal) if proposal is not None else "", "in_force": said},
    )

    def perform(data: Cleaned) -> HttpResponse:
        base = _version(data.pop("base"))
        reason, actor = data.pop("reason"), actor_of(request)
        content = checked_content(**data)
        if proposal is None:
            saved = propose_level(slug=data["slug"], content=content, base=base, reason=reason, actor=actor)
        else:
            saved = revise_level_proposal(proposal=proposal, content=content, base=base, reason=reason, actor=actor)
        messages.success(request, "The proposal was saved. Look at what it opens and closes.")
        return HttpResponseRedirect(page_url(saved))

    return form_page(request, admin=page_of, page=page, form=form, perform=perform, row=row)


def _title(level: ConsentLevel | None, proposal: ConsentLevelProposal | None) -> str:
    if proposal is not None:
        return f"Edit the proposal “{proposal.reason}”"
    return f"Propose a change of “{level}”" if level is not None else "Propose a new consent level"


def _version(key: UUID | None) -> ConsentLevelVersion | None:
    return ConsentLevelVersion.objects.filter(pk=key).first() if key is not None else None


@admin.register(ConsentLevelProposal)
class ConsentLevelProposalAdmin(ProposalAdmin):
    """Versions of consent levels on their way into force."""

    intro = (
        "Proposed versions of consent levels. A second person approves them; what provably permits less may be put "
        "into force by one."
    )
    empty_title = "No proposal yet"
    empty_text = "Open a consent level and propose a change."
    list_select_related = ["level__in_force", "base"]
    way = ProposalWay(
        proposals=LEVEL_PROPOSALS,
        fields=FIELDS,
        put_in_force=put_level_in_force,
        impact=level_impact,
        changes_since=changes_since,
        before=lambda proposal: _said(proposal.base),
        target=lambda proposal: proposal.level,
    )

    def edit_page(self, request: HttpRequest, row: ConsentLevelProposal) -> HttpResponse:
        level = ConsentLevel.objects.select_related("in_force").filter(slug=row.slug).first()
        return _level_page(request, self, level=level, proposal=row)
