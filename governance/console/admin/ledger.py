"""The ledger: its entries, each with its proof, and its tree heads."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.paginator import InfinitePaginator

from governance.audit.models import LedgerEntry, TreeHead
from governance.console.base import StoryAdmin
from governance.console.filters import ActorFilter, KindFilter
from governance.console.presentation import badge, code, digest, moment
from governance.console.subjects import subject_link, user_names

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
