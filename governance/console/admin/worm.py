"""WORM storage: its objects, and how long each kind is kept."""

from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter

from governance.audit.keeping.extensions import (
    add_retention_class,
    change_retention_class,
    extend_object,
    remove_retention_class,
)
from governance.audit.keeping.holds import set_hold
from governance.audit.models import LegalHold, RetentionClass, WormReference
from governance.audit.ports import worm_store
from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.admin.holds import with_names
from governance.console.base import StoryAdmin, actor_of
from governance.console.form_admin import FormAdmin
from governance.console.forms.drafts import ReasonForm
from governance.console.forms.worm import ExtendForm, RetentionClassForm, scope_of
from governance.console.pages import Page, form_page, render_page, require, sent
from governance.console.presentation import badge, digest, link, list_url, moment, page_url, short_uri, size
from governance.console.subjects import subject_link
from governance.console.types import Cleaned, Context
from governance.kernel import clock


class HeldFilter(admin.SimpleListFilter):
    """Whether an object is under legal hold."""

    title = "legal hold"
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices of the filter."""
        return [("yes", "Held"), ("no", "Not held")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """Return the rows that fit the choice."""
        if self.value() in ("yes", "no"):
            return queryset.filter(held=self.value() == "yes")
        return queryset


@admin.register(WormReference)
class WormReferenceAdmin(StoryAdmin):
    """Objects that cannot be changed or removed before their date."""

    intro = (
        "Evidence, policy revisions and checkpoints of the log, each written once. The store keeps every "
        "object until its date, and one under legal hold for longer. Dates are only ever extended."
    )
    empty_text = "Objects appear when evidence, a policy revision or a checkpoint has been written to WORM storage."
    story_template = "console/worm_reference.html"
    list_display = ["where", "kind_", "held_", "sha", "bytes_", "keeps", "stored"]
    list_filter = [("kind", ChoicesCheckboxFilter), HeldFilter, ("stored_at", RangeDateTimeFilter)]
    search_fields = ["uri", "sha256__exact", "subject_id__exact"]
    search_help_text = "A URI, a SHA-256 or a subject's id"
    date_hierarchy = "stored_at"
    row_pages = {"hold": "hold_page", "extend": "extend_page"}
    list_pages = {"probe": "probe_page"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[WormReference]:
        """Return the rows with what the list shows beside their columns."""
        references: QuerySet[WormReference] = super().get_queryset(request).select_related("evidence")
        return references.annotate(held=Exists(LegalHold.objects.filter(reference=OuterRef("pk"), active=True)))

    @admin.display(description="URI")
    def where(self, reference: WormReference) -> SafeString:
        """Return where it lies, shortened."""
        return short_uri(reference.uri)

    @admin.display(description="What", ordering="kind")
    def kind_(self, reference: WormReference) -> str:
        """Return what kind of object it is."""
        return reference.get_kind_display()

    @admin.display(description="Hold")
    def held_(self, reference: Any) -> SafeString | str:
        """Return whether it is held, as a badge."""
        return badge("Held", "warn") if reference.held else ""

    @admin.display(description="SHA-256")
    def sha(self, reference: WormReference) -> SafeString:
        """Return the digest, shortened."""
        return digest(reference.sha256)

    @admin.display(description="Size", ordering="size")
    def bytes_(self, reference: WormReference) -> str:
        """Return the size in bytes, rounded for reading."""
        return size(reference.size)

    @admin.display(description="Kept until (UTC)", ordering="retain_until")
    def keeps(self, reference: WormReference) -> SafeString:
        """Return until when it is kept, in UTC."""
        return moment(reference.retain_until)

    @admin.display(description="Stored (UTC)", ordering="stored_at")
    def stored(self, reference: WormReference) -> SafeString:
        """Return when it was stored, in UTC."""
        return moment(reference.stored_at)

    def story(self, request: HttpRequest, row: WormReference) -> Context:
        """Return what the page of a row shows."""
        holds = list(row.holds.order_by("-set_at"))
        return {
            "evidence": link(row.evidence, str(row.evidence or "")),
            "subject": subject_link(row.subject_type, row.subject_id),
            "locked": row.retain_until > clock.now(),
            "size": size(row.size),
            "retention": RetentionClass.objects.filter(slug=row.retention_class).first(),
            "holds": with_names(holds),
            "held": any(hold.active for hold in holds),
            "may_hold": request.user.has_perm("audit.add_legalhold"),
            "may_extend": request.user.has_perm("audit.change_wormreference"),
            "ledger": timeline(SubjectRef("worm", str(row.pk))),
        }

    def probe_page(self, request: HttpRequest) -> HttpResponse:
        """Probe the store now, and show what was sent and what came back for each attempt."""
        require(request, "audit.add_scrubrun")
        page = Page(
            title="Probe WORM storage",
            submit="Probe now",
            back=list_url(WormReference),
            intro=(
                "Tries to break every promise of the store, on objects that are written for it and locked for ten "
                "minutes. No other object is touched."
            ),
        )

        def perform(data: Cleaned) -> HttpResponse:
            findings = worm_store.get().probe()
            shown = replace(page, template="console/probe.html", extra={"findings": findings})
            return render_page(request, admin=self, page=shown, context={})

        return form_page(request, admin=self, page=page, form=Form(**sent(request)), perform=perform)

    def hold_page(self, request: HttpRequest, row: WormReference) -> HttpResponse:
        """Ask for a reason and hold the object."""
        require(request, "audit.add_legalhold")
        page = Page(
            title="Set a legal hold",
            submit="Hold it",
            back=page_url(row),
            intro="The object stays, whatever its retention, until two different persons release the hold.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            hold = set_hold(reference=row, actor=actor_of(request), reason=data["reason"])
            messages.success(request, "The object is under legal hold.")
            return HttpResponseRedirect(page_url(hold))

        return form_page(request, admin=self, page=page, form=ReasonForm(**sent(request)), perform=perform, row=row)

    def extend_page(self, request: HttpRequest, row: WormReference) -> HttpResponse:
        """Keep one object longer than its class."""
        require(request, "audit.change_wormreference")
        page = Page(
            title="Keep it longer",
            submit="Extend",
            back=page_url(row),
            intro="For one object; for a whole kind, contract or region, change its retention class.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            extended = extend_object(reference=row, until=data["until"], actor=actor_of(request))
            messages.success(request, f"The object is kept until {extended.retain_until:%Y-%m-%d %H:%M:%S} UTC.")
            return HttpResponseRedirect(page_url(row))

        form = ExtendForm(initial={"until": row.retain_until}, **sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)


@admin.register(RetentionClass)
class RetentionClassAdmin(FormAdmin):
    """How long each kind of object is kept."""

    intro = (
        "How long WORM storage keeps what is written to it. The class of a contract and region goes before that of the "
        "contract, that before the region's, and that before the general one. What is stored is only ever kept longer."
    )
    empty_text = "The general classes come with the installation: run manage.py migrate."
    noun = "retention class"
    list_display = ["name", "kind_", "partner_", "region_", "days_", "when"]
    list_filter = [("kind", ChoicesCheckboxFilter)]
    search_fields = ["name", "slug__exact", "partner__exact"]

    def has_delete_permission(self, request: HttpRequest, obj: RetentionClass | None = None) -> bool:
        """Return whether the user may delete the row."""
        general = obj is not None and not (obj.partner or obj.region)
        return bool(super().has_delete_permission(request, obj)) and not general

    @admin.display(description="Keeps", ordering="kind")
    def kind_(self, row: RetentionClass) -> str:
        """Return what kind of object it keeps."""
        return row.get_kind_display()

    @admin.display(description="Partner", ordering="partner", empty_value="every partner")
    def partner_(self, row: RetentionClass) -> str | None:
        """Return the partner."""
        return row.partner or None

    @admin.display(description="Region", ordering="region", empty_value="every region")
    def region_(self, row: RetentionClass) -> str | None:
        """Return the region, or none for every one."""
        return row.region or None

    @admin.display(description="For", ordering="days")
    def days_(self, row: RetentionClass) -> str:
        """Return how long it keeps objects."""
        return span(row.days)

    @admin.display(description="Changed (UTC)", ordering="updated_at")
    def when(self, row: RetentionClass) -> SafeString:
        """Return when it was changed, in UTC."""
        return moment(row.updated_at)

    def build_form(self, request: HttpRequest, row: RetentionClass | None) -> RetentionClassForm:
        """Return the form for a new row, or for the row that is changed."""
        return RetentionClassForm(row=row, **sent(request))

    def form_intro(self, row: RetentionClass | None) -> str:
        """Return the sentence above the form."""
        if row is None:
            return "An object falls under the narrowest class that is for it when it is stored."
        return f"{row.get_kind_display()}, {row.partner or 'every partner'}, {row.region or 'every region'}."

    def perform(self, request: HttpRequest, row: RetentionClass | None, data: Cleaned) -> RetentionClass:
        """Call the service with what was entered, and return the row."""
        what = {"name": data["name"], "days": data["days"], "actor": actor_of(request)}
        if row is not None:
            return change_retention_class(row=row, seen=data["seen"], **what)
        return add_retention_class(**scope_of(data), **what)

    def saved_message(self, row: Model) -> str:
        """Return the sentence that is shown after saving."""
        return f"The retention class “{row}” was saved. Longer retentions reach what is stored with the next scrub."

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Remove the class of a contract or a region."""
        assert isinstance(obj, RetentionClass)
        remove_retention_class(row=obj, actor=actor_of(request))


def span(days: int | None) -> str:
    """Return a number of days in readable form."""
    if days is None:
        return "for ever"
    years, rest = divmod(days, 365)
    about = f" (about {years} years)" if years > 1 and rest < 30 else ""
    return f"1 day{about}" if days == 1 else f"{days:,} days{about}"
