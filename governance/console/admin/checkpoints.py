"""What the log published: checkpoints with the witnesses' cosignatures, and alarms that stopped it."""

import json
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.paginator import InfinitePaginator

from governance.audit.log.checkpoints import signed_note_of
from governance.audit.log.log_reader import consistency_proof
from governance.audit.models import Checkpoint, LogAlarm
from governance.console.base import StoryAdmin
from governance.console.downloads import attachment
from governance.console.entry_proof import ProofStep, log_keys, quorum_step, signature_step
from governance.console.log_state import known_witnesses, log_state
from governance.console.pages import require
from governance.console.presentation import badge, code, digest, moment
from governance.console.subjects import person_names
from governance.console.types import Context
from governance.kernel.errors import GovernanceError
from governance.transparency.proofs import verify_consistency

#: What to do about each alarm, beside the runbook docs/operations/runbooks/log-alarm.md.
REMEDIES = {
    "log_behind_worm": (
        "The database is older than what was published, as after a restore from a backup. Restore a newer copy. If "
        "there is none, begin a succession: manage.py audit succeed --from ORIGIN --reason TEXT."
    ),
    "log_forked": (
        "Entries that were published are not what the database holds now: somebody changed history here, or the WORM "
        "store belongs to another installation. Keep a copy of both, then restore the database."
    ),
    "log_altered": (
        "Entries under a published checkpoint are not those that were published, or are missing. Run manage.py "
        "verify_evidence: it names them. Keep a copy of the database, then restore it."
    ),
    "log_origin_changed": (
        "WORM storage holds the checkpoints of a log of another name. Set ASSENT_LOG_ORIGIN back, or, if the log "
        "begins anew on purpose, run manage.py audit succeed --from ORIGIN --reason TEXT."
    ),
    "checkpoint_missing": (
        "WORM storage does not have a checkpoint that was written to it. Check which store this installation uses; if "
        "it is the right one, the store lost an object that it had promised to keep."
    ),
    "checkpoint_altered": (
        "The last checkpoint in WORM storage does not carry this log's signature. Check which store and which keys "
        "this installation uses, and scrub the store."
    ),
}


@admin.register(Checkpoint)
class CheckpointAdmin(StoryAdmin):
    """Signed tree heads, each written to WORM storage before it was published."""

    intro = (
        "A checkpoint is the log's signature over its size and root hash. Each was proven to continue the one before, "
        "which was read back from WORM storage for that, and counts as published once enough witnesses cosigned it."
    )
    empty_title = "No checkpoint yet"
    empty_text = "The log signs one as soon as it has entries."
    list_before_template = "console/log_banner.html"
    story_template = "console/checkpoint.html"
    list_display = ["place", "covers", "root", "witnesses", "key_id", "when"]
    list_filter = [("created_at", RangeDateTimeFilter)]
    search_fields = ["number__exact", "size__exact"]
    search_help_text = "A checkpoint's number, or how many entries it covers"
    row_pages = {"note": "note_page"}
    ordering = ["-id"]
    paginator = InfinitePaginator
    list_per_page = 100

    def get_queryset(self, request: HttpRequest) -> QuerySet[Checkpoint]:
        """Return the rows with what the list shows beside their columns."""
        found: QuerySet[Checkpoint] = super().get_queryset(request)
        return found.prefetch_related("cosignatures")

    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        """Answer with the list and the notices above it."""
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "log": log_state()})
        return response

    @admin.display(description="#", ordering="number")
    def place(self, checkpoint: Checkpoint) -> SafeString:
        """Return its number."""
        return code(str(checkpoint.number))

    @admin.display(description="Entries", ordering="size")
    def covers(self, checkpoint: Checkpoint) -> str:
        """Return how many entries it covers."""
        return f"{checkpoint.size:,}"

    @admin.display(description="Root hash")
    def root(self, checkpoint: Checkpoint) -> SafeString:
        """Return the root hash, shortened."""
        return digest(bytes(checkpoint.root_hash).hex())

    @admin.display(description="Witnesses")
    def witnesses(self, checkpoint: Checkpoint) -> SafeString:
        """Return how many witnesses cosigned, as a badge."""
        return quorum_badge(len(known_witnesses(checkpoint)))

    @admin.display(description="Signed (UTC)", ordering="created_at")
    def when(self, checkpoint: Checkpoint) -> SafeString:
        """Return when it was signed, in UTC."""
        return moment(checkpoint.created_at)

    def story(self, request: HttpRequest, row: Checkpoint) -> Context:
        """Return what the page of a row shows."""
        quorum = settings.ASSENT_WITNESS_QUORUM
        before = Checkpoint.objects.filter(origin=row.origin, number=row.number - 1).first()
        steps = [signature_step(row), _growth_step(before, row), quorum_step(row, quorum)]
        return {
            "steps": steps,
            "proven": all(step.tone != "bad" for step in steps),
            "root_hash": bytes(row.root_hash).hex(),
            "note": signed_note_of(row),
            "vkeys": [key.vkey for key in _keys_of(row)],
            "cosignatures": row.cosignatures.all(),
            "quorum_badge": quorum_badge(len(known_witnesses(row))),
            "before": before,
            "after": Checkpoint.objects.filter(origin=row.origin, number=row.number + 1).first(),
            "added": row.size - (before.size if before else 0),
        }

    def note_page(self, request: HttpRequest, row: Checkpoint) -> HttpResponse:
        """Return the signed note with its cosignatures, as it is published."""
        require(request, "audit.view_checkpoint")
        return attachment(signed_note_of(row).encode(), f"checkpoint-{row.number}.txt", "text/plain; charset=utf-8")


@admin.register(LogAlarm)
class LogAlarmAdmin(StoryAdmin):
    """Why the log stopped, and who resolved it."""

    intro = (
        "Before the log signs anything new, it reads its last checkpoint back from WORM storage. When that does not "
        "match the database, the log stops instead of publishing a second history; nothing is released until somebody "
        "resolves the alarm."
    )
    empty_title = "The log never stopped"
    empty_text = "An alarm appears here when the database contradicts a published checkpoint."
    story_template = "console/log_alarm.html"
    list_display = ["state_badge", "code", "message", "when", "until"]
    list_filter = [("raised_at", RangeDateTimeFilter)]

    @admin.display(description="State")
    def state_badge(self, alarm: LogAlarm) -> SafeString:
        """Return the state as a badge."""
        return badge("Resolved", "quiet") if alarm.resolved_at else badge("Open", "bad")

    @admin.display(description="Raised (UTC)", ordering="raised_at")
    def when(self, alarm: LogAlarm) -> SafeString:
        """Return when it was raised, in UTC."""
        return moment(alarm.raised_at)

    @admin.display(description="Resolved (UTC)", ordering="resolved_at")
    def until(self, alarm: LogAlarm) -> SafeString:
        """Return when it was resolved, in UTC."""
        return moment(alarm.resolved_at)

    def story(self, request: HttpRequest, row: LogAlarm) -> Context:
        """Return what the page of a row shows."""
        return {
            "remedy": REMEDIES.get(row.code, "Read the runbook for log alarms before you do anything."),
            "details": json.dumps(row.details, indent=2, sort_keys=True),
            "resolved_by": person_names([row.resolved_by]).get(row.resolved_by, row.resolved_by),
        }


def quorum_badge(cosigned: int) -> SafeString:
    """Return how many witnesses cosigned and whether that is enough."""
    quorum, known = settings.ASSENT_WITNESS_QUORUM, len(settings.ASSENT_WITNESSES)
    if not known:
        return badge("No witnesses", "quiet")
    return badge(f"{cosigned} of {known}, {quorum} needed", "good" if cosigned >= quorum else "busy")


def _growth_step(before: Checkpoint | None, row: Checkpoint) -> ProofStep:
    title = "Continues the previous one"
    if before is None:
        return ProofStep(title, "good", "It is the first checkpoint of this log.")
    try:
        proof = consistency_proof(first=before.size, second=row.size)
        verify_consistency(
            first=before.size,
            second=row.size,
            first_root=bytes(before.root_hash),
            second_root=bytes(row.root_hash),
            proof=proof,
        )
    except GovernanceError as error:
        return ProofStep(title, "bad", error.message)
    said = f"{len(proof)} hashes from the stored tiles prove that its first {before.size} entries are unchanged."
    return ProofStep(title, "good", said)


def _keys_of(row: Checkpoint) -> list[Any]:
    try:
        return list(log_keys(row))
    except GovernanceError:
        return []
