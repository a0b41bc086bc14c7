"""Datasets and works."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Model, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from unfold.contrib.filters.admin import (
    AutocompleteSelectMultipleFilter,
    ChoicesCheckboxFilter,
    RangeDateTimeFilter,
    RelatedCheckboxFilter,
)

from governance.audit.types import SubjectRef
from governance.catalog.choices import AssetStatus, ConsentSource, ConsentState, FileMetadata, LeftOut
from governance.catalog.datasets import change_dataset, create_dataset, delete_dataset
from governance.catalog.models import Asset, Dataset, UploadReview
from governance.catalog.queries import effective_consent
from governance.catalog.types import IncomingFile
from governance.catalog.works import (
    change_asset,
    end_quarantine,
    is_decided_by_a_claim,
    quarantine_asset,
    register_asset,
)
from governance.console.base import actor_of
from governance.console.form_admin import FormAdmin
from governance.console.forms.creators import StatusReasonForm
from governance.console.forms.works import DatasetForm, WorkDetailsForm, WorkForm
from governance.console.meanwhile import carry_seen
from governance.console.pages import Page, form_page, require, sent
from governance.console.pictures import picture_response
from governance.console.presentation import choice_badge, code, digest, link, moment, page_url, size
from governance.console.subjects import subject_link
from governance.console.types import Cleaned, Context
from governance.kernel import clock


@admin.register(Dataset)
class DatasetAdmin(FormAdmin):
    """Collections that tokens can be limited to."""

    intro = "Named collections of works. API clients and tokens can be limited to some of them."
    empty_text = "Without datasets every work is in one catalogue."
    list_display = ["name", "slug_", "works", "description"]
    search_fields = ["name", "slug__exact", "description"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        """Return the rows with what the list shows beside their columns."""
        datasets: QuerySet[Dataset] = super().get_queryset(request)
        return datasets.annotate(work_count=Count("assets"))

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, dataset: Dataset) -> SafeString:
        """Return the slug."""
        return code(dataset.slug)

    @admin.display(description="Works", ordering="work_count")
    def works(self, dataset: Any) -> SafeString:
        """Return how many works there are."""
        url = reverse("admin:catalog_asset_changelist", query={"dataset__id__exact": dataset.pk})
        return format_html('<a class="as-link" href="{}">{}</a>', url, dataset.work_count)

    def build_form(self, request: HttpRequest, row: Dataset | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        return DatasetForm(**sent(request), dataset=row)

    def perform(self, request: HttpRequest, row: Dataset | None, data: Cleaned) -> Dataset:
        """Call the service with what was entered, and return the row."""
        if row is None:
            return create_dataset(**data, actor=actor_of(request))
        return change_dataset(dataset=row, **data, actor=actor_of(request))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Delete a dataset without works."""
        assert isinstance(obj, Dataset)
        delete_dataset(dataset=obj, actor=actor_of(request))


@admin.register(Asset)
class AssetAdmin(FormAdmin):
    """Works of creators."""

    intro = "Works of creators. The bytes are in object storage under their digest and never change."
    empty_text = "Upload a creator's work here, or let partners upload through the API."
    form_template = "console/work.html"
    noun = "work"
    submit_label = "Add the work"
    list_display = ["picture_", "title", "creator_", "dataset_", "status_", "pixels", "bytes_", "sha", "when"]
    list_display_links = ["picture_", "title"]
    list_filter = [
        ("status", ChoicesCheckboxFilter),
        ("dataset", RelatedCheckboxFilter),
        ("creator", AutocompleteSelectMultipleFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_select_related = ["creator", "dataset"]
    date_hierarchy = "created_at"
    search_ids = ("id",)
    search_fields = ["title", "creator__slug__exact", "creator__display_name", "sha256__exact"]
    search_help_text = "A title, a creator, an id or a digest"
    row_pages = {"picture": "picture_page", "details": "details_page", "quarantine": "quarantine_page"}
    kept_pages = frozenset({"picture"})

    def has_delete_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        """Return False: nothing is deleted here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        """Return False: nothing is edited here."""
        return False

    @admin.display(description="")
    def picture_(self, asset: Asset) -> SafeString:
        """Return the thumbnail."""
        url = reverse("admin:catalog_asset_picture", args=[asset.pk])
        return format_html('<img class="as-thumb" loading="lazy" src="{}" alt="">', url)

    @admin.display(description="Creator", ordering="creator__slug")
    def creator_(self, asset: Asset) -> SafeString:
        """Return the creator, linked."""
        return link(asset.creator)

    @admin.display(description="Dataset", ordering="dataset__slug")
    def dataset_(self, asset: Asset) -> SafeString:
        """Return the dataset, linked."""
        return link(asset.dataset)

    @admin.display(description="Status", ordering="status")
    def status_(self, asset: Asset) -> SafeString:
        """Return the status as a badge."""
        return choice_badge(asset.status, asset.get_status_display())

    @admin.display(description="Pixels", ordering="width")
    def pixels(self, asset: Asset) -> str:
        """Return width and height in pixels."""
        return f"{asset.width} × {asset.height}"

    @admin.display(description="Size", ordering="size")
    def bytes_(self, asset: Asset) -> str:
        """Return the size in bytes, rounded for reading."""
        return size(asset.size)

    @admin.display(description="SHA-256")
    def sha(self, asset: Asset) -> SafeString:
        """Return the digest, shortened."""
        return digest(asset.sha256)

    @admin.display(description="Added (UTC)", ordering="created_at")
    def when(self, asset: Asset) -> SafeString:
        """Return when it was added, in UTC."""
        return moment(asset.created_at)

    def build_form(self, request: HttpRequest, row: Asset | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        if row is not None:
            return Form()
        return WorkForm(**sent(request), initial={"creator": request.GET.get("creator")})

    def form_context(self, request: HttpRequest, row: Asset | None) -> Context:
        """Return what the page shows beside the form."""
        if row is None:
            return {}
        consent = effective_consent(asset=row, at=clock.now())
        return {
            "consent": consent,
            "consent_state": choice_badge(consent.state, str(ConsentState(consent.state).label)),
            "consent_source": ConsentSource(consent.source).label,
            "pairs": sorted(f"{action}:{purpose}" for action, purpose in consent.pairs),
            "statements": row.consent_grants.select_related("level_version"),
            "jobs": row.job_inputs.select_related("job__partner").order_by("-job__created_at")[:10],
            "left_out": [(LeftOut(each["kind"]).label, each["bytes"]) for each in row.left_out],
            "metadata": [FileMetadata(kind).label for kind in row.metadata_kinds or ()],
            "uploader": subject_link(row.uploaded_by_type, row.uploaded_by_id),
            "status_badge": choice_badge(row.status, row.get_status_display()),
            "claim": UploadReview.objects.filter(asset=row).first(),
            "claim_decides": is_decided_by_a_claim(row),
            "can_change": request.user.has_perm("catalog.change_asset"),
            "erased": row.creator.erased_at is not None,
            "can_consent": request.user.has_perm("catalog.add_consentgrant"),
        }

    def saved_message(self, row: Model) -> str:
        """Return the message after an upload, with what was left out of the file."""
        assert isinstance(row, Asset)
        kinds = [str(LeftOut(each["kind"]).label) for each in row.left_out]
        left_out = (
            f" The file also holds {get_text_list(kinds, 'and')}: only its first picture counts." if kinds else ""
        )
        return f"{super().saved_message(row)}{left_out}"

    def perform(self, request: HttpRequest, row: Asset | None, data: Cleaned) -> Asset:
        """Call the service with what was entered, and return the row."""
        upload = data.pop("file")
        actor = actor_of(request)
        uploader = SubjectRef(actor.type, actor.id)
        file = IncomingFile(upload, upload.name)
        return register_asset(**data, file=file, uploaded_by=uploader, actor=actor)

    def picture_page(self, request: HttpRequest, row: Asset) -> HttpResponse:
        """Return a small picture of the work."""
        require(request, "catalog.view_asset")
        return picture_response(request, row.object_name, row.sha256)

    def details_page(self, request: HttpRequest, row: Asset) -> HttpResponse:
        """Change title, tags and dataset of a work."""
        require(request, "catalog.change_asset")
        page = Page(title=f"Change “{row}”", submit="Save", back=page_url(row))

        def perform(data: Cleaned) -> HttpResponse:
            changed = change_asset(asset=row, **data, actor=actor_of(request))
            messages.success(request, f"The work “{changed}” was saved.")
            return HttpResponseRedirect(page_url(row))

        form = carry_seen(WorkDetailsForm(**sent(request), work=row), row)
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def quarantine_page(self, request: HttpRequest, row: Asset) -> HttpResponse:
        """Put a work into quarantine or take it out, with a reason."""
        require(request, "catalog.change_asset")
        entering = row.status == AssetStatus.ACTIVE
        page = Page(
            title=f"Quarantine “{row}”?" if entering else f"Release “{row}” from quarantine?",
            submit="Quarantine the work" if entering else "Release from quarantine",
            back=page_url(row),
            intro=(
                "Policy denies every use of a quarantined work, including waiting jobs."
                if entering
                else "The work can be used again, as far as consent and policy permit."
            ),
            danger=entering,
        )

        def perform(data: Cleaned) -> HttpResponse:
            change_status = quarantine_asset if entering else end_quarantine
            change_status(asset=row, reason=data["reason"], actor=actor_of(request))
            messages.success(request, "The work is in quarantine." if entering else "The work can be used again.")
            return HttpResponseRedirect(page_url(row))

        form = StatusReasonForm(**sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)
