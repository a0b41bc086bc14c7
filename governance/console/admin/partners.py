"""Partner organisations and their tiers."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RelatedCheckboxFilter

from governance.console.base import SluggedAdmin, actor_of
from governance.console.form_admin import FormAdmin
from governance.console.forms.partners import RevocationForm, TierForm
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import choice_badge, code, link, page_url
from governance.jobs.models import OPEN_STATES, Job
from governance.kernel import clock
from governance.partners.models import AccessToken, Partner, Tier
from governance.partners.services import revoke_partner_tokens
from governance.partners.tiers import change_tier, create_tier, delete_tier


@admin.register(Tier)
class TierAdmin(FormAdmin):
    """What classes of partners may consume."""

    intro = "What a class of partners may consume. Policies may name a tier; limits hold from the next request on."
    empty_text = "Every partner has a tier: add one first."
    list_display = ["name", "slug_", "requests_per_minute", "max_open_jobs", "members"]
    search_fields = ["name", "slug__exact"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        tiers: QuerySet[Tier] = super().get_queryset(request)
        return tiers.annotate(partner_count=Count("partners"))

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, tier: Tier) -> SafeString:
        return code(tier.slug)

    @admin.display(description="Partners", ordering="partner_count")
    def members(self, tier: Any) -> int:
        return int(tier.partner_count)

    def build_form(self, request: HttpRequest, row: Tier | None) -> TierForm:
        return TierForm(**sent(request), tier=row)

    def perform(self, request: HttpRequest, row: Tier | None, data: dict[str, Any]) -> Tier:
        if row is None:
            return create_tier(**data, actor=actor_of(request))
        return change_tier(tier=row, **data, actor=actor_of(request))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Delete a tier that no partner has, on record."""
        assert isinstance(obj, Tier)
        delete_tier(tier=obj, actor=actor_of(request))


@admin.register(Partner)
class PartnerAdmin(SluggedAdmin):
    """Organisations whose apps call the API."""

    intro = "Organisations whose apps call the API. A suspended partner is denied everything."
    empty_text = "Add a tier, then the first organisation, then its API client."
    list_display = ["name", "slug_", "tier_", "region", "status_", "client_count_", "open_jobs"]
    list_filter = [("status", ChoicesCheckboxFilter), ("tier", RelatedCheckboxFilter)]
    list_select_related = ["tier"]
    search_ids = ("id",)
    search_fields = ["name", "slug"]
    autocomplete_fields = ["tier"]
    fields = [("name", "slug"), ("tier", "region"), "status"]
    change_form_outer_after_template = "console/partner.html"
    row_pages = {"revoke-tokens": "revoke_page"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Partner]:
        partners: QuerySet[Partner] = super().get_queryset(request)
        return partners.annotate(
            client_count=Count("clients", distinct=True),
            open_count=Count("jobs", filter=Q(jobs__state__in=OPEN_STATES), distinct=True),
        )

    def has_delete_permission(self, request: HttpRequest, obj: Partner | None = None) -> bool:
        return False

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, partner: Partner) -> SafeString:
        return code(partner.slug)

    @admin.display(description="Tier", ordering="tier__slug")
    def tier_(self, partner: Partner) -> SafeString:
        return link(partner.tier)

    @admin.display(description="Status", ordering="status")
    def status_(self, partner: Partner) -> SafeString:
        return choice_badge(partner.status, partner.get_status_display())

    @admin.display(description="API clients", ordering="client_count")
    def client_count_(self, partner: Any) -> int:
        return int(partner.client_count)

    @admin.display(description="Open jobs", ordering="open_count")
    def open_jobs(self, partner: Any) -> str:
        return f"{partner.open_count} of {partner.tier.max_open_jobs}"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        partner = kwargs.get("obj")
        if partner is not None:
            context |= {
                "clients": partner.clients.order_by("name"),
                "live_tokens": live_tokens(partner),
                "jobs": Job.objects.filter(partner=partner).order_by("-created_at")[:10],
                "can_revoke": request.user.has_perm("partners.change_accesstoken"),
                "can_add_client": request.user.has_perm("partners.add_apiclient"),
            }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def revoke_page(self, request: HttpRequest, row: Partner) -> HttpResponse:
        """Revoke every token of a partner, after saying how many that are."""
        require(request, "partners.change_accesstoken")
        count = live_tokens(row)
        page = Page(
            title=f"Revoke every token of {row}?",
            submit="Revoke every token",
            back=page_url(row),
            intro=(
                f"{count} live {'token stops' if count == 1 else 'tokens stop'} working at once, also any that is "
                "being issued now. Jobs that were accepted go on; the partner can ask for new tokens."
            ),
            danger=True,
        )

        def perform(data: dict[str, Any]) -> HttpResponse:
            revoked = revoke_partner_tokens(partner=row, actor=actor_of(request), reason=data["reason"])
            messages.success(request, f"Revoked; {revoked} {'token was' if revoked == 1 else 'tokens were'} live.")
            return HttpResponseRedirect(page_url(row))

        form = RevocationForm(**sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)


def live_tokens(partner: Partner) -> int:
    """Return how many tokens of a partner have neither expired nor been revoked."""
    tokens = AccessToken.objects.filter(application__partner=partner, revoked_at=None, expires__gt=clock.now())
    return tokens.count()
