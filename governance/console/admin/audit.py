"""Evidence records and their WORM references."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter

from governance.audit.models import EvidenceRecord
from governance.console.base import StoryAdmin
from governance.console.downloads import attachment
from governance.console.filters import OutcomeFilter
from governance.console.pages import require
from governance.console.presentation import badge, choice_badge, digest, moment
from governance.console.subjects import subject_link
from governance.console.types import Context
from governance.console.verification import receipt_file
from governance.kernel.json_reading import read_json
from governance.keys.dsse import Envelope


class AnchoredFilter(admin.SimpleListFilter):
    """Whether an evidence record has reached WORM storage."""

    title = "WORM storage"
    parameter_name = "anchored"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices of the filter."""
        return [("yes", "Written"), ("no", "Waiting")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """Return the rows that fit the choice."""
        if self.value() in ("yes", "no"):
            return queryset.filter(worm_reference__isnull=self.value() == "no")
        return queryset


@admin.register(EvidenceRecord)
class EvidenceRecordAdmin(StoryAdmin):
    """Signed statements of how jobs ended."""

    intro = (
        "One signed statement (in-toto, DSSE) for every job that was released, denied, cancelled or failed. "
        "It can be checked with the public key alone."
    )
    empty_text = "Evidence is issued when a job ends."
    story_template = "console/evidence.html"
    row_pages = {"file": "file_page"}
    list_display = ["about", "ended", "anchored", "sha", "key_id", "when"]
    list_filter = [OutcomeFilter, AnchoredFilter, ("created_at", RangeDateTimeFilter)]
    search_fields = ["subject_id__exact", "envelope_sha256__exact"]
    search_help_text = "A subject's id or the SHA-256 of an envelope"
    list_select_related = ["worm_reference"]
    date_hierarchy = "created_at"

    @admin.display(description="Subject")
    def about(self, record: EvidenceRecord) -> str:
        """Return what it is about, linked to its page."""
        return f"{record.subject_type} {record.subject_id}"

    @admin.display(description="Outcome", ordering="outcome")
    def ended(self, record: EvidenceRecord) -> SafeString:
        """Return how it ended, as a badge."""
        return choice_badge(record.outcome, record.outcome.capitalize())

    @admin.display(description="WORM")
    def anchored(self, record: EvidenceRecord) -> SafeString:
        """Return whether it is in WORM storage, as a badge."""
        return badge("Written", "good") if hasattr(record, "worm_reference") else badge("Waiting", "warn")

    @admin.display(description="Envelope SHA-256")
    def sha(self, record: EvidenceRecord) -> SafeString:
        """Return the digest of the envelope, shortened."""
        return digest(record.envelope_sha256)

    @admin.display(description="Issued (UTC)", ordering="created_at")
    def when(self, record: EvidenceRecord) -> SafeString:
        """Return when it was issued, in UTC."""
        return moment(record.created_at)

    def story(self, request: HttpRequest, row: EvidenceRecord) -> Context:
        """Return what the page of a row shows."""
        envelope = Envelope.from_json(row.envelope)
        return {
            "subject": subject_link(row.subject_type, row.subject_id),
            "statement": json.dumps(read_json(envelope.payload), indent=2, ensure_ascii=False),
            "payload_type": envelope.payload_type,
            "worm": getattr(row, "worm_reference", None),
            "outcome": choice_badge(row.outcome, row.outcome.capitalize()),
        }

    def file_page(self, request: HttpRequest, row: EvidenceRecord) -> HttpResponse:
        """Return the receipt file of how a job ended, with a proof once a published checkpoint covers it."""
        require(request, "audit.view_evidencerecord")
        return attachment(receipt_file(row), f"receipt-{row.subject_type}-{row.subject_id}.json", "application/json")
