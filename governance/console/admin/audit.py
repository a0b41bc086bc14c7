"""Proof: the ledger, its tree heads, evidence records and where they were written for good."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.paginator import InfinitePaginator

from governance.audit.models import EvidenceRecord, LedgerEntry, TreeHead, WormReference
from governance.console.base import StoryAdmin
from governance.console.filters import ActorFilter, KindFilter, OutcomeFilter
from governance.console.presentation import badge, choice_badge, code, digest, link, moment, person, size
from governance.console.subjects import subject_link, user_names
from governance.kernel import clock
from governance.kernel.dsse import Envelope

SHOWN = 200


@admin.register(LedgerEntry)
class LedgerEntryAdmin(StoryAdmin):
    """The ordered log. Nobody can change a row; the database refuses it."""

    intro = (
        "Every decision and every change of state, in the order in which it was sealed. Each entry is a leaf of a "
        "Merkle tree (RFC 6962): changing or removing one would change every later tree head."
    )
    empty_text = "Entries wait in an outbox until the sequencer orders them, usually within a second."
    story_template = "console/ledger_entry.html"
    list_display = ["position", "what", "about", "who", "when", "leaf"]
    list_filter = [
        KindFilter,
        ActorFilter,
        ("occurred_at", RangeDateTimeFilter),
    ]
    search_fields = ["subject_id__exact", "actor_id__exact", "kind__exact"]
    search_help_text = "A subject's or actor's id, or a kind such as job.released"
    ordering = ["-index"]
    paginator = InfinitePaginator
    list_per_page = 100

    def prepare(self, rows: list[Any]) -> None:
        _name_actors(rows)

    @admin.display(description="#", ordering="index")
    def position(self, entry: LedgerEntry) -> SafeString:
        return code(str(entry.index))

    @admin.display(description="Kind", ordering="kind")
    def what(self, entry: LedgerEntry) -> SafeString:
        return badge(entry.kind)

    @admin.display(description="Subject")
    def about(self, entry: LedgerEntry) -> SafeString:
        return subject_link(entry.subject_type, entry.subject_id)

    @admin.display(description="Actor")
    def who(self, entry: Any) -> SafeString:
        return subject_link(entry.actor_type, entry.actor_id, entry.actor_name)

    @admin.display(description="Happened (UTC)", ordering="occurred_at")
    def when(self, entry: LedgerEntry) -> SafeString:
        return moment(entry.occurred_at)

    @admin.display(description="Leaf hash")
    def leaf(self, entry: LedgerEntry) -> SafeString:
        return digest(bytes(entry.leaf_hash).hex())

    def story(self, request: HttpRequest, row: LedgerEntry) -> dict[str, Any]:
        body = bytes(row.body)
        return {
            "body": json.dumps(json.loads(body), indent=2, ensure_ascii=False),
            "body_bytes": len(body),
            "leaf_hash": bytes(row.leaf_hash).hex(),
            "subject": subject_link(row.subject_type, row.subject_id),
            "actor": subject_link(row.actor_type, row.actor_id, user_names([row.actor_id]).get(row.actor_id, "")),
            "neighbours": LedgerEntry.objects.filter(subject_type=row.subject_type, subject_id=row.subject_id).order_by(
                "index"
            )[:100],
            "head": TreeHead.objects.filter(size__gt=row.index).order_by("size").first(),
        }


@admin.register(TreeHead)
class TreeHeadAdmin(StoryAdmin):
    """The fingerprint of the ledger after so many entries."""

    intro = "The hash of the whole ledger after each batch. Two heads of the same size must be equal, for ever."
    empty_text = "The first tree head appears when the sequencer orders the first entries."
    story_template = "console/tree_head.html"
    list_display = ["entries", "root", "when"]
    list_filter = [("created_at", RangeDateTimeFilter)]
    paginator = InfinitePaginator
    list_per_page = 100

    @admin.display(description="Entries", ordering="size")
    def entries(self, head: TreeHead) -> SafeString:
        return code(str(head.size))

    @admin.display(description="Root hash (SHA-256)")
    def root(self, head: TreeHead) -> SafeString:
        return code(bytes(head.root_hash).hex())

    @admin.display(description="Made (UTC)", ordering="created_at")
    def when(self, head: TreeHead) -> SafeString:
        return moment(head.created_at)

    def story(self, request: HttpRequest, row: TreeHead) -> dict[str, Any]:
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


class AnchoredFilter(admin.SimpleListFilter):
    """Whether an evidence record has reached WORM storage."""

    title = "WORM storage"
    parameter_name = "anchored"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Written"), ("no", "Waiting")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
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
    list_display = ["about", "ended", "anchored", "sha", "key_id", "when"]
    list_filter = [OutcomeFilter, AnchoredFilter, ("created_at", RangeDateTimeFilter)]
    search_fields = ["subject_id__exact", "envelope_sha256__exact"]
    search_help_text = "A subject's id or the SHA-256 of an envelope"
    list_select_related = ["worm_reference"]
    date_hierarchy = "created_at"

    @admin.display(description="Subject")
    def about(self, record: EvidenceRecord) -> str:
        return f"{record.subject_type} {record.subject_id}"

    @admin.display(description="Outcome", ordering="outcome")
    def ended(self, record: EvidenceRecord) -> SafeString:
        return choice_badge(record.outcome, record.outcome.capitalize())

    @admin.display(description="WORM")
    def anchored(self, record: EvidenceRecord) -> SafeString:
        return badge("Written", "good") if hasattr(record, "worm_reference") else badge("Waiting", "warn")

    @admin.display(description="Envelope SHA-256")
    def sha(self, record: EvidenceRecord) -> SafeString:
        return digest(record.envelope_sha256)

    @admin.display(description="Issued (UTC)", ordering="created_at")
    def when(self, record: EvidenceRecord) -> SafeString:
        return moment(record.created_at)

    def story(self, request: HttpRequest, row: EvidenceRecord) -> dict[str, Any]:
        envelope = Envelope.from_json(row.envelope)
        return {
            "subject": subject_link(row.subject_type, row.subject_id),
            "statement": json.dumps(json.loads(envelope.payload), indent=2, ensure_ascii=False),
            "payload_type": envelope.payload_type,
            "worm": getattr(row, "worm_reference", None),
            "outcome": choice_badge(row.outcome, row.outcome.capitalize()),
        }


@admin.register(WormReference)
class WormReferenceAdmin(StoryAdmin):
    """Where evidence lies that nobody can change or remove before its time."""

    intro = "Where each evidence record was written once and for good, and until when the store must keep it."
    empty_text = "References appear when evidence has been written to WORM storage."
    story_template = "console/worm_reference.html"
    list_display = ["where", "sha", "bytes_", "mode", "keeps", "stored"]
    list_filter = [("stored_at", RangeDateTimeFilter)]
    search_fields = ["uri", "sha256__exact", "evidence__subject_id__exact"]
    search_help_text = "A URI, a SHA-256 or a subject's id"
    list_select_related = ["evidence"]
    date_hierarchy = "stored_at"

    @admin.display(description="URI")
    def where(self, reference: WormReference) -> SafeString:
        return code(reference.uri)

    @admin.display(description="SHA-256")
    def sha(self, reference: WormReference) -> SafeString:
        return digest(reference.sha256)

    @admin.display(description="Size", ordering="size")
    def bytes_(self, reference: WormReference) -> str:
        return size(reference.size)

    @admin.display(description="Kept until (UTC)", ordering="retain_until")
    def keeps(self, reference: WormReference) -> SafeString:
        return moment(reference.retain_until)

    @admin.display(description="Stored (UTC)", ordering="stored_at")
    def stored(self, reference: WormReference) -> SafeString:
        return moment(reference.stored_at)

    def story(self, request: HttpRequest, row: WormReference) -> dict[str, Any]:
        evidence = row.evidence
        return {
            "evidence": link(evidence, f"{evidence.outcome.capitalize()}: {person('job', evidence.subject_id)}"),
            "subject": subject_link(evidence.subject_type, evidence.subject_id),
            "locked": row.retain_until > clock.now(),
            "size": size(row.size),
        }
