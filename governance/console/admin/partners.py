"""Partners and their tiers."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RelatedCheckboxFilter

from governance.console.base import actor_of
from governance.console.cut_story import on_jobs
from governance.console.form_admin import FormAdmin
from governance.console.forms.partners import (
    MoveForm,
    PartnerForm,
    PartnerRegionForm,
    ReinstatementForm,
    RenameForm,
    RevocationForm,
    SuspensionForm,
    TierForm,
)
from governance.console.meanwhile import carry_seen
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import choice_badge, code, link, page_url
from governance.console.types import Cleaned, Context
from governance.jobs.models import OPEN_STATES, Job
from governance.kernel import clock
from governance.partners.choices import PartnerStatus
from governance.partners.models import AccessToken, Partner, Tier
from governance.partners.partners import (
    change_region,
    create_partner,
    move_partner,
    reinstate_partner,
    rename_partner,
    suspend_partner,
)
from governance.partners.tiers import change_tier, create_tier, delete_tier
from governance.partners.tokens import revoke_partner_tokens

CHANGE = "partners.change_partner"


@admin.register(Tier)
class TierAdmin(FormAdmin):
    """What classes of partners may consume."""

    intro = "What a class of partners may consume. Policies may name a tier; limits hold from the next request on."
    empty_text = "Every partner has a tier: add one first."
    list_display = ["name", "slug_", "requests_per_minute", "max_open_jobs", "members"]
    search_fields = ["name", "slug__exact"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        """Return the rows with what the list shows beside their columns."""
        tiers: QuerySet[Tier] = super().get_queryset(request)
        return tiers.annotate(partner_count=Count("partners"))

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, tier: Tier) -> SafeString:
        """Return the slug."""
        return code(tier.slug)

    @admin.display(description="Partners", ordering="partner_count")
    def members(self, tier: Any) -> int:
        """Return the partners."""
        return int(tier.partner_count)

    def build_form(self, request: HttpRequest, row: Tier | None) -> TierForm:
        """Return the form for a new row, or for the row that is changed."""
        return TierForm(**sent(request), tier=row)

    def form_intro(self, row: Tier | None) -> str:
        """Return the sentence above the form."""
        return f"“{row.slug}”. Limits hold from the next request on." if row else ""

    def perform(self, request: HttpRequest, row: Tier | None, data: Cleaned) -> Tier:
        """Call the service with what was entered, and return the row."""
        if row is None:
            return create_tier(**data, actor=actor_of(request))
        return change_tier(tier=row, **data, actor=actor_of(request))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Delete a tier that no partner has."""
        assert isinstance(obj, Tier)
        delete_tier(tier=obj, actor=actor_of(request))


@admin.register(Partner)
class PartnerAdmin(FormAdmin):
    """Companies and institutions whose apps call the API."""

    intro = "Companies and institutions whose apps call the API. A suspended partner is denied everything."
    empty_text = "Add a tier, then the first partner, then its API client."
    form_template = "console/partner.html"
    list_display = ["name", "slug_", "tier_", "region", "status_", "client_count_", "open_jobs"]
    list_filter = [("status", ChoicesCheckboxFilter), ("tier", RelatedCheckboxFilter)]
    list_select_related = ["tier"]
    search_ids = ("id",)
    search_fields = ["name", "slug"]
    row_pages = {
        "rename": "rename_page",
        "move": "move_page",
        "region": "region_page",
        "suspend": "suspend_page",
        "reinstate": "reinstate_page",
        "revoke-tokens": "revoke_page",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Partner]:
        """Return the rows with what the list shows beside their columns."""
        partners: QuerySet[Partner] = super().get_queryset(request)
        return partners.annotate(
            client_count=Count("clients", distinct=True),
            open_count=Count("jobs", filter=Q(jobs__state__in=OPEN_STATES), distinct=True),
        )

    def has_delete_permission(self, request: HttpRequest, obj: Partner | None = None) -> bool:
        """Return False: nothing is deleted here."""
        return False

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, partner: Partner) -> SafeString:
        """Return the slug."""
        return code(partner.slug)

    @admin.display(description="Tier", ordering="tier__slug")
    def tier_(self, partner: Partner) -> SafeString:
        """Return the tier, linked."""
        return link(partner.tier)

    @admin.display(description="Status", ordering="status")
    def status_(self, partner: Partner) -> SafeString:
        """Return the status as a badge."""
        return choice_badge(partner.status, partner.get_status_display())

    @admin.display(description="API clients", ordering="client_count")
    def client_count_(self, partner: Any) -> int:
        """Return how many API clients there are."""
        return int(partner.client_count)

    @admin.display(description="Open jobs", ordering="open_count")
    def open_jobs(self, partner: Any) -> str:
        """Return how many jobs are open, of how many."""
        return f"{partner.open_count} of {partner.tier.max_open_jobs}"

    def build_form(self, request: HttpRequest, row: Partner | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        return PartnerForm(**sent(request)) if row is None else Form(**sent(request))

    def form_context(self, request: HttpRequest, row: Partner | None) -> Context:
        """Return what the page shows beside the form."""
        if row is None:
            return {}
        return {
            "status": choice_badge(row.status, row.get_status_display()),
            "suspended": row.status == PartnerStatus.SUSPENDED,
            "can_change": request.user.has_perm(CHANGE),
            "clients": row.clients.order_by("name"),
            "live_tokens": live_tokens(row),
            "jobs": Job.objects.filter(partner=row).order_by("-created_at")[:10],
            "can_revoke": request.user.has_perm("partners.change_accesstoken"),
            "can_add_client": request.user.has_perm("partners.add_apiclient"),
        }

    def perform(self, request: HttpRequest, row: Partner | None, data: Cleaned) -> Partner:
        """Add a partner; an existing one is changed on the pages of single actions only."""
        if row is not None:
            raise PermissionDenied
        return create_partner(**data, actor=actor_of(request))

    def rename_page(self, request: HttpRequest, row: Partner) -> HttpResponse:
        """Give a partner another name."""
        page = Page(
            title=f"Rename {row}",
            submit="Rename",
            back=page_url(row),
            intro=f"Policies, licences and consent still refer to it as “{row.slug}”.",
        )
        form = RenameForm(**sent(request), initial={"name": row.name})
        return self._change(request, row, page, form, rename_partner, "{} has its new name.")

    def move_page(self, request: HttpRequest, row: Partner) -> HttpResponse:
        """Move a partner to another tier."""
        page = Page(
            title=f"Move {row} to another tier",
            submit="Move",
            back=page_url(row),
            intro="Its limits, and rules that name it, apply from the next request on.",
        )
        form = MoveForm(**sent(request), initial={"tier": row.tier_id})
        return self._change(request, row, page, form, move_partner, "{} was moved.")

    def region_page(self, request: HttpRequest, row: Partner) -> HttpResponse:
        """Give a partner another region."""
        page = Page(
            title=f"Change the region of {row}",
            submit="Change the region",
            back=page_url(row),
            intro="Consent and licences that are limited to regions apply it from the next decision on.",
        )
        form = PartnerRegionForm(**sent(request), initial={"region": row.region})
        return self._change(request, row, page, form, change_region, "{} has its new region.")

    def suspend_page(self, request: HttpRequest, row: Partner) -> HttpResponse:
        """Show what a suspension does, ask for a reason, and suspend."""
        page = Page(
            title=f"Suspend {row}?",
            submit="Suspend the partner",
            back=page_url(row),
            intro=(
                f"{row} is denied everything from the next request on: its tokens are refused, it gets no new ones, "
                "and nothing that it asked for is run or released."
            ),
            danger=True,
            **on_jobs(Job.objects.filter(partner=row), "no token can fetch them during the suspension"),
        )
        return self._change(
            request, row, page, SuspensionForm(**sent(request)), suspend_partner, "{} is suspended now."
        )

    def reinstate_page(self, request: HttpRequest, row: Partner) -> HttpResponse:
        """Ask for a reason and reinstate a suspended partner."""
        page = Page(
            title=f"Reinstate {row}?",
            submit="Make active again",
            back=page_url(row),
            intro=(
                "It can ask for tokens and jobs again, as far as consent, licences and policy permit. Tokens that "
                "have not expired work again; jobs that ended meanwhile stay ended."
            ),
        )
        return self._change(
            request, row, page, ReinstatementForm(**sent(request)), reinstate_partner, "{} is active again."
        )

    def _change(
        self, request: HttpRequest, row: Partner, page: Page, form: Form, service: Callable[..., Partner], said: str
    ) -> HttpResponse:
        """Show the page of one action and call its service with what was entered."""
        require(request, CHANGE)

        def perform(data: Cleaned) -> HttpResponse:
            changed = service(partner=row, **data, actor=actor_of(request))
            messages.success(request, said.format(changed))
            return HttpResponseRedirect(page_url(changed))

        return form_page(request, admin=self, page=page, form=carry_seen(form, row), perform=perform, row=row)

    def revoke_page(self, request: HttpRequest, row: Partner) -> HttpResponse:
        """Revoke every token of a partner, after showing how many there are."""
        require(request, "partners.change_accesstoken")
        count = live_tokens(row)
        page = Page(
            title=f"Revoke every token of {row}?",
            submit="Revoke every token",
            back=page_url(row),
            intro=(
                f"{count} live {'token stops' if count == 1 else 'tokens stop'} working at once, also any that is "
                "being issued now. Jobs that were submitted with any of them end, also one that is being accepted now. "
                "The partner can ask for new tokens, which work."
            ),
            danger=True,
            **on_jobs(Job.objects.filter(partner=row), "a new token can fetch them"),
        )

        def perform(data: Cleaned) -> HttpResponse:
            revoked = revoke_partner_tokens(partner=row, actor=actor_of(request), reason=data["reason"])
            messages.success(request, f"Revoked; {revoked} {'token was' if revoked == 1 else 'tokens were'} live.")
            return HttpResponseRedirect(page_url(row))

        form = RevocationForm(**sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)


def live_tokens(partner: Partner) -> int:
    """Return how many tokens of a partner have neither expired nor been revoked."""
    tokens = AccessToken.objects.filter(application__partner=partner, revoked_at=None, expires__gt=clock.now())
    return tokens.count()
