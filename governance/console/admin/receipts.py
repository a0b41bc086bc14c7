"""Receipts: signed statements that third parties can check offline, and the page that checks one."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.paginator import InfinitePaginator

from governance.audit.models import LedgerEntry, Receipt
from governance.console.base import StoryAdmin
from governance.console.downloads import attachment
from governance.console.filters import ReceiptKindFilter
from governance.console.forms.verification import VerificationForm
from governance.console.pages import Page, render_page, require, sent
from governance.console.presentation import badge, code, digest, list_url, moment
from governance.console.subjects import short_id, subject_link
from governance.console.types import Context
from governance.console.verification import check_receipt, receipt_file, sha256_of, trust
from governance.kernel.json_reading import read_json
from governance.keys.dsse import Envelope


@admin.register(Receipt)
class ReceiptAdmin(StoryAdmin):
    """Signed statements of ledger entries."""

    intro = (
        "A receipt is signed in the same moment as its ledger entry, and the entry holds its digest. The file you "
        "download contains all that is needed to check it, together with the trust file, without this installation."
    )
    empty_title = "No receipt yet"
    empty_text = "Uploads, consent, policy activations, decisions and anchored evidence each get one."
    list_before_template = "console/receipts_banner.html"
    story_template = "console/receipt.html"
    list_display = ["about", "kind_", "proven", "sha", "when", "save"]
    list_filter = [ReceiptKindFilter, ("created_at", RangeDateTimeFilter)]
    search_fields = ["subject_id__exact", "envelope_sha256__exact"]
    search_help_text = "A receipt's, entry's or subject's id, or the SHA-256 of an envelope"
    search_ids = ("id", "entry_id")
    list_pages = {"verify": "verify_page", "trust": "trust_page"}
    row_pages = {"file": "file_page"}
    ordering = ["-created_at"]
    paginator = InfinitePaginator
    list_per_page = 100

    def prepare(self, rows: list[Any]) -> None:
        """Look up the places in the log, for all rows at once."""
        entries = LedgerEntry.objects.filter(entry_id__in=[row.entry_id for row in rows])
        indexes = dict(entries.values_list("entry_id", "index"))
        for row in rows:
            row.index = indexes.get(row.entry_id)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Return the rows that a search finds, by index where it is for an id."""
        by_id: tuple[Any, bool] = super().get_search_results(request, queryset, search_term)
        if by_id[0].exists():
            return by_id
        return queryset.filter(subject_id=search_term.strip()), False

    @admin.display(description="Subject")
    def about(self, receipt: Receipt) -> str:
        """Return what it is about, linked to its page."""
        return f"{receipt.subject_type.replace('_', ' ')} {short_id(receipt.subject_id)}"

    @admin.display(description="Kind", ordering="kind")
    def kind_(self, receipt: Receipt) -> SafeString:
        """Return the kind as a badge."""
        return badge(receipt.kind)

    @admin.display(description="In the log")
    def proven(self, receipt: Any) -> SafeString:
        """Return its place in the log, or that it waits for one."""
        return code(f"#{receipt.index}") if receipt.index is not None else badge("Waiting", "busy")

    @admin.display(description="Envelope SHA-256")
    def sha(self, receipt: Receipt) -> SafeString:
        """Return the digest of the envelope, shortened."""
        return digest(receipt.envelope_sha256)

    @admin.display(description="Signed (UTC)", ordering="created_at")
    def when(self, receipt: Receipt) -> SafeString:
        """Return when it was signed, in UTC."""
        return moment(receipt.created_at)

    @admin.display(description="File")
    def save(self, receipt: Receipt) -> SafeString:
        """Return the link to the file."""
        return format_html('<a class="as-link" href="{}">Download</a>', _file_url(receipt))

    def story(self, request: HttpRequest, row: Receipt) -> Context:
        """Return what the page of a row shows."""
        envelope = Envelope.from_json(row.envelope)
        found = check_receipt(receipt_file(row))
        return {
            "subject": subject_link(row.subject_type, row.subject_id),
            "statement": json.dumps(read_json(envelope.payload), indent=2, ensure_ascii=False),
            "entry": LedgerEntry.objects.filter(entry_id=row.entry_id).first(),
            "found": found,
            "file_url": _file_url(row),
        }

    def file_page(self, request: HttpRequest, row: Receipt) -> HttpResponse:
        """Return the receipt file, with a proof once a published checkpoint covers its entry."""
        require(request, "audit.view_receipt")
        name = f"receipt-{row.kind.replace('.', '-')}-{row.pk}.json"
        return attachment(receipt_file(row), name, "application/json")

    def trust_page(self, request: HttpRequest) -> HttpResponse:
        """Return the trust file for checking receipts."""
        require(request, "audit.view_receipt")
        return attachment(trust(), "assent-trust.json", "application/json")

    def verify_page(self, request: HttpRequest) -> HttpResponse:
        """Check a receipt, and the file that it is about, with the trust file of this installation. Neither is kept."""
        require(request, "audit.view_receipt")
        form = VerificationForm(**sent(request))
        found = None
        if request.method == "POST" and form.is_valid():
            artifact = form.cleaned_data["artifact"]
            digest = sha256_of(artifact) if artifact else None
            found = check_receipt(form.cleaned_data["receipt"].read(), artifact_sha256=digest)
        page = Page(
            title="Check a receipt",
            submit="Check",
            back=list_url(Receipt),
            intro="Drop a receipt file and, if you have it, the file that it is about. Neither is kept.",
            template="console/verify.html",
        )
        return render_page(request, admin=self, page=page, context={"form": form, "found": found})


def _file_url(receipt: Receipt) -> str:
    return reverse("admin:audit_receipt_file", args=[receipt.pk])
