"""Consent levels and consent statements."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.forms import Form
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter, RelatedCheckboxFilter

from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.catalog.models import ConsentGrant, ConsentLevel
from governance.catalog.services import save_consent_level
from governance.console.base import HistoryAdmin, actor_of
from governance.console.form_admin import FormAdmin
from governance.console.forms.consent import LevelForm
from governance.console.pages import sent
from governance.console.presentation import chips, choice_badge, code, link, moment, uses
from governance.console.subjects import subject_link


@admin.register(ConsentLevel)
class ConsentLevelAdmin(FormAdmin):
    """The sets of uses that creators can grant."""

    intro = (
        "A consent level is a named set of permitted uses: actions for purposes. Creators grant levels; changing one "
        "changes what every grant of it means, at once, and voids permits that rested on it."
    )
    empty_text = "Define at least one level before creators can grant consent."
    form_template = "console/level_form.html"
    list_display = ["name", "slug_", "rank", "uses_", "granted", "description"]
    search_fields = ["name", "slug__exact", "description"]

    def has_delete_permission(self, request: HttpRequest, obj: ConsentLevel | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentLevel]:
        levels: QuerySet[ConsentLevel] = super().get_queryset(request)
        return levels.annotate(grant_count=Count("grants", distinct=True)).prefetch_related("pairs")

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, level: ConsentLevel) -> SafeString:
        return code(level.slug)

    @admin.display(description="Permitted uses")
    def uses_(self, level: ConsentLevel) -> SafeString:
        return uses(f"{pair.action}:{pair.purpose}" for pair in level.pairs.all())

    @admin.display(description="Grants", ordering="grant_count")
    def granted(self, level: Any) -> int:
        return int(level.grant_count)

    def build_form(self, request: HttpRequest, row: ConsentLevel | None) -> Form:
        return LevelForm(**sent(request), level=row)

    def form_context(self, request: HttpRequest, row: ConsentLevel | None) -> dict[str, Any]:
        grants = ConsentGrant.objects.filter(level=row) if row else ConsentGrant.objects.none()
        return {
            "grant_count": grants.count(),
            "creator_count": grants.values("creator").distinct().count(),
            "ledger": timeline(SubjectRef("consent_level", str(row.pk))) if row else [],
        }

    def perform(self, request: HttpRequest, row: ConsentLevel | None, data: dict[str, Any]) -> ConsentLevel:
        return save_consent_level(**data, actor=actor_of(request))


@admin.register(ConsentGrant)
class ConsentGrantAdmin(HistoryAdmin):
    """Every statement of every creator."""

    intro = (
        "Every statement that creators made, newest first. Nothing here is ever edited: consent changes by a later "
        "statement, entered on the creator's page."
    )
    empty_text = "Open a creator to grant or withdraw consent."
    list_display = ["creator_", "kind_", "scope", "level_", "terms", "method_", "epoch", "when"]
    list_filter = [
        ("kind", ChoicesCheckboxFilter),
        ("level", RelatedCheckboxFilter),
        ("method", ChoicesCheckboxFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_select_related = ["creator", "level", "asset"]
    ordering = ["-created_at"]
    date_hierarchy = "created_at"
    search_ids = ("id", "asset_id", "creator_id")
    search_fields = ["creator__slug__exact", "creator__display_name", "asset__title"]
    search_help_text = "A creator, a work, or an id"
    fields = [
        "creator_", "kind_", "scope", "level_", "regions_", "allowed", "excluded", "begins", "ends", "method_",
        "evidence_digest", "epoch", "recorded_by", "when",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Creator", ordering="creator__slug")
    def creator_(self, grant: ConsentGrant) -> SafeString:
        return link(grant.creator)

    @admin.display(description="Statement", ordering="kind")
    def kind_(self, grant: ConsentGrant) -> SafeString:
        return choice_badge(grant.kind, grant.get_kind_display())

    @admin.display(description="About")
    def scope(self, grant: ConsentGrant) -> SafeString:
        return link(grant.asset) if grant.asset else format_html('<span class="as-subtle">{}</span>', "default")

    @admin.display(description="Level", ordering="level__rank")
    def level_(self, grant: ConsentGrant) -> SafeString:
        return link(grant.level)

    @admin.display(description="Terms")
    def terms(self, grant: ConsentGrant) -> SafeString:
        parts = [*grant.regions, *(f"only {slug}" for slug in grant.partners_allowed)]
        parts += [f"not {slug}" for slug in grant.partners_excluded]
        if grant.valid_until:
            parts.append(f"until {grant.valid_until:%Y-%m-%d}")
        return chips(parts)

    @admin.display(description="Regions")
    def regions_(self, grant: ConsentGrant) -> SafeString:
        return chips(grant.regions, empty="everywhere")

    @admin.display(description="Partners allowed")
    def allowed(self, grant: ConsentGrant) -> SafeString:
        return chips(grant.partners_allowed, empty="every partner")

    @admin.display(description="Partners excluded")
    def excluded(self, grant: ConsentGrant) -> SafeString:
        return chips(grant.partners_excluded, empty="none")

    @admin.display(description="Valid from (UTC)")
    def begins(self, grant: ConsentGrant) -> SafeString:
        return moment(grant.valid_from)

    @admin.display(description="Valid until (UTC)")
    def ends(self, grant: ConsentGrant) -> SafeString:
        return moment(grant.valid_until)

    @admin.display(description="How", ordering="method")
    def method_(self, grant: ConsentGrant) -> str:
        return grant.get_method_display()

    @admin.display(description="Recorded by")
    def recorded_by(self, grant: ConsentGrant) -> SafeString:
        return subject_link(grant.recorded_by_type, grant.recorded_by_id)

    @admin.display(description="Recorded (UTC)", ordering="created_at")
    def when(self, grant: ConsentGrant) -> SafeString:
        return moment(grant.created_at)
