"""The ledger: its entries, each with its proof, and its tree heads."""

import json
import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.paginator import InfinitePaginator

from governance.audit.entries import EvidenceIssued
from governance.audit.evidence.state_proof import state_document
from governance.audit.log.checkpoints import published_checkpoint, signed_note_of
from governance.audit.log.log_reader import inclusion_proof
from governance.audit.models import EvidenceRecord, LedgerEntry, Receipt, TreeHead
from governance.audit.queries import evidence_for
from governance.audit.recording.asof import AsOf, find_as_of
from governance.audit.recording.declarations import declarations
from governance.audit.recording.entries import entry_data
from governance.audit.types import SubjectRef
from governance.console.asof import as_of_story
from governance.console.base import StoryAdmin
from governance.console.downloads import attachment, hex_dump
from governance.console.entry_meaning import entry_in_words
from governance.console.entry_proof import prove_entry
from governance.console.filters import ActorFilter, AreaFilter, KindFilter
from governance.console.forms.asof import AsOfForm
from governance.console.pages import Page, add_domain_error, render_page, require
from governance.console.presentation import badge, code, digest, list_url, moment
from governance.console.subjects import subject_link, user_names
from governance.console.types import Context
from governance.kernel.canonical import canonical_json
from governance.kernel.errors import GovernanceError
from governance.kernel.json_reading import read_json
from governance.transparency.proofs import ProofFile, format_proof_file

SHOWN = 200
RELATED = 100
#: Entries shown before and after the one of the page.
AROUND = 3
#: 2^63 - 1, the largest index, has 19 digits; 18 nines are enough.
INDEX_DIGITS = 18
#: The prefix of a kind with its full stop, such as "job." in a search.
_PREFIX = re.compile(r"([a-z][a-z_]*\.)+", re.ASCII)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(StoryAdmin):
    """The ordered log. Nobody can change a row; the database refuses it."""

    intro = (
        "Every decision and every change of state, in the order of the log. Each entry is a leaf of a "
        "Merkle tree (RFC 6962): changing or removing one would change every later tree head."
    )
    empty_text = "Entries wait in an outbox until the sequencer orders them, usually within a second."
    story_template = "console/ledger_entry.html"
    list_display = ["position", "what", "about", "who", "when", "leaf"]
    list_filter = [
        AreaFilter,
        KindFilter,
        ActorFilter,
        ("occurred_at", RangeDateTimeFilter),
    ]
    search_fields = ["subject_id__exact", "actor_id__exact", "kind__exact"]
    search_help_text = "A number such as #42, an id of an entry, subject or actor, a kind such as job.released, or job."
    list_pages = {"asof": "as_of_page"}
    row_pages = {"raw": "raw_page", "proof": "proof_page"}
    ordering = ["-index"]
    paginator = InfinitePaginator
    list_per_page = 100

    def prepare(self, rows: list[Any]) -> None:
        """Look up the names of actors, for all rows at once."""
        _name_actors(rows)

    @admin.display(description="#", ordering="index")
    def position(self, entry: LedgerEntry) -> SafeString:
        """Return its number."""
        return code(str(entry.index))

    @admin.display(description="Kind", ordering="kind")
    def what(self, entry: LedgerEntry) -> SafeString:
        """Return the kind as a badge."""
        return badge(entry.kind)

    @admin.display(description="Subject")
    def about(self, entry: LedgerEntry) -> SafeString:
        """Return what it is about, linked to its page."""
        return subject_link(entry.subject_type, entry.subject_id)

    @admin.display(description="Actor")
    def who(self, entry: Any) -> SafeString:
        """Return who acted, linked."""
        return subject_link(entry.actor_type, entry.actor_id, entry.actor_name)

    @admin.display(description="Happened (UTC)", ordering="occurred_at")
    def when(self, entry: LedgerEntry) -> SafeString:
        """Return when it was happened, in UTC."""
        return moment(entry.occurred_at)

    @admin.display(description="Leaf hash")
    def leaf(self, entry: LedgerEntry) -> SafeString:
        """Return the leaf hash, shortened."""
        return digest(bytes(entry.leaf_hash).hex())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that a search finds, by index where it is for an id."""
        number = search_term.strip().removeprefix("#")
        if number.isascii() and number.isdigit() and len(number) <= INDEX_DIGITS:
            return queryset.filter(index=int(number)), False
        kinds = [kind for kind in declarations() if _PREFIX.fullmatch(number) and kind.startswith(number)]
        if kinds:
            return queryset.filter(kind__in=kinds), False
        entry = queryset.filter(entry_id=search_term.strip()) if _is_uuid(search_term.strip()) else None
        if entry is not None and entry.exists():
            return entry, False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def story(self, request: HttpRequest, row: LedgerEntry) -> Context:
        """Return what the page of a row shows."""
        body = bytes(row.body)
        proof = prove_entry(row, published_checkpoint(), quorum=settings.ASSENT_WITNESS_QUORUM)
        around = LedgerEntry.objects.filter(index__gte=row.index - AROUND, index__lte=row.index + AROUND)
        return {
            "words": entry_in_words(row.kind, entry_data(body)),
            "body": _indented(body),
            "body_bytes": len(body),
            "raw_dump": hex_dump(body),
            "leaf_hash": bytes(row.leaf_hash).hex(),
            "subject": subject_link(row.subject_type, row.subject_id),
            "actor": subject_link(row.actor_type, row.actor_id, user_names([row.actor_id]).get(row.actor_id, "")),
            "related": LedgerEntry.objects.filter(subject_type=row.subject_type, subject_id=row.subject_id).order_by(
                "index"
            )[:RELATED],
            "around": _name_actors(around.order_by("index")),
            "proof": proof,
            "proof_word": {"good": "Proven", "bad": "Not proven", "busy": "Waiting"}[proof.tone],
            "receipt": _receipt_of(row),
        }

    def raw_page(self, request: HttpRequest, row: LedgerEntry) -> HttpResponse:
        """Return the bytes of the entry, exactly those that were hashed."""
        self._need_view(request)
        return attachment(bytes(row.body), f"entry-{row.index}.json", "application/octet-stream")

    def proof_page(self, request: HttpRequest, row: LedgerEntry) -> HttpResponse:
        """Return the entry's proof file (c2sp.org/tlog-proof@v1) against the newest published checkpoint."""
        self._need_view(request)
        checkpoint = published_checkpoint()
        if checkpoint is None or checkpoint.size <= row.index:
            raise Http404("No published checkpoint covers this entry yet.")
        hashes = tuple(inclusion_proof(index=row.index, size=checkpoint.size))
        text = format_proof_file(ProofFile(index=row.index, hashes=hashes, checkpoint=signed_note_of(checkpoint)))
        return attachment(text.encode(), f"entry-{row.index}.tlog-proof", "text/plain; charset=utf-8")

    def as_of_page(self, request: HttpRequest) -> HttpResponse:
        """Show the state of an object at a moment; with `file` in the URL, return it as a file with its proof."""
        self._need_view(request)
        asked = "type" in request.GET and "name" in request.GET
        form = AsOfForm(request.GET if asked else None)
        context: Context = {"form": form, "file_url": f"?{request.GET.urlencode()}&file"}
        if asked and form.is_valid():
            asked_for = form.cleaned_data
            try:
                found = find_as_of(type_name=asked_for["type"], name=asked_for["name"], at=asked_for["at"])
                if "file" in request.GET:
                    return attachment(canonical_json(state_document(found)), _file_name(found), "application/json")
                context |= as_of_story(found)
            except GovernanceError as error:
                add_domain_error(form, error)
        page = Page(
            title="As of",
            submit="Show",
            back=list_url(LedgerEntry),
            intro="The state of a partner, tier, licence or the like at a moment, rebuilt from the ledger alone.",
            template="console/asof.html",
        )
        return render_page(request, admin=self, page=page, context=context)

    def _need_view(self, request: HttpRequest) -> None:
        require(request, "audit.view_ledgerentry")


def _file_name(found: AsOf) -> str:
    return f"{found.subject.type}-as-of-{found.at:%Y%m%dT%H%M%SZ}.json"


def _receipt_of(entry: LedgerEntry) -> Receipt | EvidenceRecord | None:
    if entry.kind == EvidenceIssued.declaration.kind:
        return evidence_for(SubjectRef(entry.subject_type, entry.subject_id))
    return Receipt.objects.filter(entry_id=entry.entry_id).first()


def _indented(body: bytes) -> str:
    """Return JSON indented for reading; bytes that are not JSON, because they were altered, unchanged."""
    try:
        return json.dumps(read_json(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@admin.register(TreeHead)
class TreeHeadAdmin(StoryAdmin):
    """The fingerprint of the ledger after so many entries."""

    intro = "The hash of the whole ledger after each batch. Two heads of the same size must always be equal."
    empty_text = "The first tree head appears when the sequencer orders the first entries."
    story_template = "console/tree_head.html"
    list_display = ["entries", "root", "when"]
    list_filter = [("created_at", RangeDateTimeFilter)]
    paginator = InfinitePaginator
    list_per_page = 100

    @admin.display(description="Entries", ordering="size")
    def entries(self, head: TreeHead) -> SafeString:
        """Return how many entries it covers."""
        return code(str(head.size))

    @admin.display(description="Root hash (SHA-256)")
    def root(self, head: TreeHead) -> SafeString:
        """Return the root hash."""
        return code(bytes(head.root_hash).hex())

    @admin.display(description="Made (UTC)", ordering="created_at")
    def when(self, head: TreeHead) -> SafeString:
        """Return when it was made, in UTC."""
        return moment(head.created_at)

    def story(self, request: HttpRequest, row: TreeHead) -> Context:
        """Return what the page of a row shows."""
        before = TreeHead.objects.filter(size__lt=row.size).order_by("-size").first()
        since = before.size if before else 0
        added = LedgerEntry.objects.filter(index__gte=since, index__lt=row.size).order_by("index")
        return {
            "root_hash": bytes(row.root_hash).hex(),
            "before": before,
            "added": _name_actors(added[:SHOWN]),
            "added_count": row.size - since,
        }


def _name_actors(entries: Iterable[LedgerEntry]) -> list[Any]:
    """Return the entries, each with the user name of its actor as `actor_name` where a console user acted."""
    found: list[Any] = list(entries)
    names = user_names(entry.actor_id for entry in found if entry.actor_type == "user")
    for entry in found:
        entry.actor_name = names.get(entry.actor_id, "") if entry.actor_type == "user" else ""
    return found
