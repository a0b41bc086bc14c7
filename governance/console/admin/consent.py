"""Consent statements."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter, RelatedCheckboxFilter

from governance.catalog.models import ConsentGrant
from governance.console.base import HistoryAdmin
from governance.console.presentation import EMPTY, chips, choice_badge, link, moment, uses
from governance.console.subjects import subject_link


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
    list_select_related = ["creator", "level__in_force", "level_version", "asset"]
    ordering = ["-created_at"]
    date_hierarchy = "created_at"
    search_ids = ("id", "asset_id", "creator_id")
    search_fields = ["creator__slug__exact", "creator__display_name", "asset__title"]
    search_help_text = "A creator, a work, or an id"
    fields = [
        "creator_", "kind_", "scope", "level_", "agreed", "permits", "regions_", "allowed", "excluded", "begins",
        "ends", "method_", "evidence_digest", "epoch", "recorded_by", "when",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Creator", ordering="creator__slug")
    def creator_(self, grant: ConsentGrant) -> SafeString:
        """Return the creator, linked."""
        return link(grant.creator)

    @admin.display(description="Statement", ordering="kind")
    def kind_(self, grant: ConsentGrant) -> SafeString:
        """Return whether it is a grant or a withdrawal, as a badge."""
        return choice_badge(grant.kind, grant.get_kind_display())

    @admin.display(description="About")
    def scope(self, grant: ConsentGrant) -> SafeString:
        """Return the work that it is about, or that it is the default."""
        return link(grant.asset) if grant.asset else format_html('<span class="as-subtle">{}</span>', "default")

    @admin.display(description="Level", ordering="level_version__rank")
    def level_(self, grant: ConsentGrant) -> SafeString:
        """Return the consent level, linked."""
        return link(grant.level, str(grant.level_version))

    @admin.display(description="Agreed to")
    def agreed(self, grant: ConsentGrant) -> SafeString:
        return uses(grant.level_version.pairs) if grant.level_version else EMPTY

    @admin.display(description="Permits today")
    def permits(self, grant: ConsentGrant) -> SafeString:
        return uses(grant.level_version.effective) if grant.level_version else EMPTY

    @admin.display(description="Terms")
    def terms(self, grant: ConsentGrant) -> SafeString:
        """Return the terms in short."""
        parts = [*grant.regions, *(f"only {slug}" for slug in grant.partners_allowed)]
        parts += [f"not {slug}" for slug in grant.partners_excluded]
        if grant.valid_until:
            parts.append(f"until {grant.valid_until:%Y-%m-%d}")
        return chips(parts)

    @admin.display(description="Regions")
    def regions_(self, grant: ConsentGrant) -> SafeString:
        """Return the regions that it is limited to."""
        return chips(grant.regions, empty="everywhere")

    @admin.display(description="Partners allowed")
    def allowed(self, grant: ConsentGrant) -> SafeString:
        """Return the partners that it is limited to."""
        return chips(grant.partners_allowed, empty="every partner")

    @admin.display(description="Partners excluded")
    def excluded(self, grant: ConsentGrant) -> SafeString:
        """Return the partners that it leaves out."""
        return chips(grant.partners_excluded, empty="none")

    @admin.display(description="Valid from (UTC)")
    def begins(self, grant: ConsentGrant) -> SafeString:
        """Return from when it holds, in UTC."""
        return moment(grant.valid_from)

    @admin.display(description="Valid until (UTC)")
    def ends(self, grant: ConsentGrant) -> SafeString:
        """Return until when it holds, in UTC."""
        return moment(grant.valid_until)

    @admin.display(description="How", ordering="method")
    def method_(self, grant: ConsentGrant) -> str:
        """Return how consent was given."""
        return grant.get_method_display()

    @admin.display(description="Recorded by")
    def recorded_by(self, grant: ConsentGrant) -> SafeString:
        """Return who recorded it, linked."""
        return subject_link(grant.recorded_by_type, grant.recorded_by_id)

    @admin.display(description="Recorded (UTC)", ordering="created_at")
    def when(self, grant: ConsentGrant) -> SafeString:
        """Return when it was recorded, in UTC."""
        return moment(grant.created_at)
