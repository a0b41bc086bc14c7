"""Entries about evidence, receipts, holds and reports must match their rows; the log must match its checkpoints."""

from governance.audit.entries import EvidenceAnchored, EvidenceIssued, HoldReleased, HoldSet, Reconciled
from governance.audit.models import Checkpoint, EvidenceRecord, LedgerEntry, OutboxEntry, Receipt, WormReference
from governance.audit.recording.declarations import kinds_with_receipt
from governance.audit.recording.reconciling import (
    Pairing,
    check,
    declare_checks,
    declare_counted,
    declare_kept,
    declare_scan,
    moment,
)
from governance.audit.recording.state_checks import state_faults

EVIDENCE = Pairing(
    code="evidence",
    noun="evidence",
    rows="SELECT id::text AS key, id AS ord, * FROM audit_evidencerecord",
    entries=(EvidenceIssued,),
    key="e.data ->> 'evidence_id'",
    differs={
        "subject_type": ("r.subject_type", "e.subject_type"),
        "subject_id": ("r.subject_id", "e.subject_id"),
        "outcome": ("r.outcome", "e.data ->> 'outcome'"),
        "predicate_type": ("r.predicate_type", "e.data ->> 'predicate_type'"),
        "envelope_sha256": ("r.envelope_sha256", "e.data ->> 'envelope_sha256'"),
        "key_id": ("r.key_id", "e.data ->> 'key_id'"),
    },
)

REFERENCES = Pairing(
    code="reference",
    noun="WORM reference of evidence",
    rows="SELECT evidence_id::text AS key, id AS ord, * FROM audit_wormreference WHERE kind = 'evidence'",
    entries=(EvidenceAnchored,),
    key="e.data ->> 'evidence_id'",
    differs={
        "uri": ("r.uri", "e.data ->> 'uri'"),
        "version_id": ("r.version_id", "e.data ->> 'version_id'"),
        "sha256": ("r.sha256", "e.data ->> 'sha256'"),
        "size": ("r.size", "(e.data ->> 'size')::numeric"),
        "mode": ("r.mode", "e.data ->> 'mode'"),
        # Retention may have been extended since, never shortened.
        "retain_until": ("true", "r.retain_until >= " + moment("e.data ->> 'retain_until'")),
    },
)

RECEIPTS = Pairing(
    code="receipt",
    noun="receipt of entry",
    rows="SELECT entry_id::text AS key, id AS ord, * FROM audit_receipt",
    # Entries from before there were receipts name no envelope.
    entries=kinds_with_receipt(),
    key="CASE WHEN e.data ? 'envelope_sha256' THEN e.entry_id::text END",
    differs={
        "kind": ("r.kind", "e.kind"),
        "subject_type": ("r.subject_type", "e.subject_type"),
        "subject_id": ("r.subject_id", "e.subject_id"),
        "predicate_type": ("r.predicate_type", "e.data ->> 'predicate_type'"),
        "key_id": ("r.key_id", "e.data ->> 'key_id'"),
        "envelope_sha256": ("r.envelope_sha256", "e.data ->> 'envelope_sha256'"),
        "envelope": ("encode(sha256(convert_to(r.envelope, 'UTF8')), 'hex')", "e.data ->> 'envelope_sha256'"),
    },
)

CHECKPOINTS = (
    check(
        "checkpoint_number_missing",
        subject="'checkpoint ' || c.number || ' of ' || c.origin",
        message="'The one before it is missing.'",
        found="""FROM audit_checkpoint AS c LEFT JOIN audit_checkpoint AS b
            ON b.origin = c.origin AND b.number = c.number - 1 WHERE c.number > 1 AND b.id IS NULL""",
        remedy="It was removed from the database; its WORM object still holds it. Restore the row from a backup.",
    ),
    check(
        "checkpoint_removed",
        subject="'WORM object ' || w.uri",
        message="'It is a checkpoint that the database no longer knows.'",
        found="""FROM audit_wormreference AS w LEFT JOIN audit_checkpoint AS c ON c.reference_id = w.id
            WHERE w.kind = 'checkpoint' AND c.id IS NULL""",
        remedy="The log takes it over again when it next publishes. Find out who removed the row.",
    ),
    check(
        "checkpoint_differs",
        subject="'checkpoint ' || c.number || ' of ' || c.origin",
        message="""CASE WHEN t.size IS NULL THEN 'The log has no tree of ' || c.size || ' entries.'
            ELSE 'The tree of ' || c.size || ' entries has another root hash.' END""",
        found="""FROM audit_checkpoint AS c LEFT JOIN audit_treehead AS t ON t.size = c.size
            WHERE c.size > 0 AND t.root_hash IS DISTINCT FROM c.root_hash""",
        remedy="The log differs from the published one. See the runbook 'Log alarm'.",
    ),
)

_HOLD = """
    SELECT h.id::text AS key, h.id AS ord, h.*, w.uri, w.version_id
    FROM audit_legalhold AS h JOIN audit_wormreference AS w ON w.id = h.reference_id
"""

HELD = Pairing(
    code="hold",
    noun="legal hold",
    rows=_HOLD,
    entries=(HoldSet,),
    key="e.data ->> 'hold'",
    differs={
        "set_by": ("r.set_by", "e.actor"),
        "reason": ("encode(sha256(convert_to(r.reason, 'UTF8')), 'hex')", "e.data ->> 'reason_sha256'"),
        "reference": ("r.reference_id::text", "e.subject_id"),
        "uri": ("r.uri", "e.data ->> 'uri'"),
        "version_id": ("r.version_id", "e.data ->> 'version_id'"),
    },
)

RELEASED = Pairing(
    code="hold_release",
    noun="release of legal hold",
    rows=f"{_HOLD} WHERE NOT h.active",
    entries=(HoldReleased,),
    key="e.data ->> 'hold'",
    differs={
        "released_by": ("r.released_by", "e.actor"),
        "release_asked_by": ("r.release_asked_by", "e.data ->> 'asked_by'"),
    },
)

REPORTS = Pairing(
    code="reconciliation",
    noun="reconciliation",
    rows="SELECT id::text AS key, id AS ord, * FROM audit_reconciliationreport",
    entries=(Reconciled,),
    key="e.subject_id",
    differs={
        "ok": ("to_jsonb(r.ok)", "e.data -> 'ok'"),
        "fault_count": ("r.fault_count", "(e.data ->> 'faults')::numeric"),
    },
)

declare_checks(EVIDENCE, REFERENCES, RECEIPTS, *CHECKPOINTS, HELD, RELEASED, REPORTS)
declare_scan(state_faults)
declare_counted(
    evidence=EvidenceRecord,
    receipts=Receipt,
    worm_references=WormReference,
    ledger_entries=LedgerEntry,
    waiting_entries=OutboxEntry,
    checkpoints=Checkpoint,
)
declare_kept("worm", WormReference)
