"""The log itself: what it tells of, receipts, and whether releases are under a checkpoint."""

from collections.abc import Mapping
from datetime import datetime

from governance.audit.recording.declarations import kinds_with_receipt
from governance.workflows.reconcile.checks import Check, Pairing, check, entries_where, one_of

#: Types of subjects whose rows are never removed: table and column that holds what the log calls them.
SUBJECTS: Mapping[str, tuple[str, str]] = {
    "job": ("jobs_job", "id"),
    "decision": ("decisions_decisionrecord", "id"),
    "permit": ("decisions_permit", "id"),
    "asset": ("catalog_asset", "id"),
    "creator": ("catalog_creator", "id"),
    "consent_level": ("catalog_consentlevel", "id"),
    "model_version": ("registry_modelversion", "id"),
    "revision": ("rulebook_policyrevision", "digest"),
    "draft": ("rulebook_policydraft", "id"),
    "freeze": ("rulebook_policyfreeze", "id"),
    "worm": ("audit_wormreference", "id"),
}


def receipts() -> Pairing:
    """Return the pairing of receipts with the entries that come with one."""
    return Pairing(
        code="receipt",
        noun="receipt of entry",
        rows="SELECT entry_id::text AS key, id AS ord, * FROM audit_receipt",
        # Entries from before there were receipts name no envelope.
        entries=one_of(*kinds_with_receipt()),
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
        remedy="The log is not the one that was published. See the runbook 'Log alarm'.",
    ),
)


def subjects(types: Mapping[str, tuple[str, str]] = SUBJECTS) -> tuple[Check, ...]:
    """Return the checks that every subject that the log names is there, one for each type."""
    remedy = "The row was removed; the log still tells of it. Restore it from a backup."
    return tuple(
        check(
            "subject_removed",
            subject=f"'{kind} ' || e.subject_id",
            message="'The log tells of it in ' || count(*) || ' entries; there is no row.'",
            found=f"""FROM (
                SELECT subject_id FROM audit_ledgerentry WHERE subject_type = '{kind}'
                UNION ALL SELECT subject_id FROM audit_outboxentry WHERE subject_type = '{kind}'
            ) AS e LEFT JOIN {table} AS t ON t.{column}::text = e.subject_id
            WHERE t.{column} IS NULL GROUP BY e.subject_id""",
            remedy=remedy,
        )
        for kind, (table, column) in types.items()
    )


def publication(*, before: datetime) -> Check:
    """Return the check that what was released before a moment is under a checkpoint."""
    moment = before.isoformat()
    return Check(
        sql=f"""
        WITH {entries_where(one_of("job.released"))},
        published AS (SELECT coalesce((SELECT size FROM audit_checkpoint ORDER BY id DESC LIMIT 1), 0) AS size)
        SELECT 'release_not_published', 'job ' || e.subject_id, e.name || CASE
            WHEN e.index IS NULL THEN ' has no place in the log.'
            ELSE ' is beyond the newest checkpoint, of ' || p.size || ' entries.' END
        FROM entries AS e CROSS JOIN published AS p
        WHERE (e.index IS NULL OR e.index >= p.size) AND e.occurred_at < '{moment}'::timestamptz
        """,
        remedies={
            "release_not_published": "See that the scheduler and the control worker run, and look for a log alarm with "
            "'manage.py audit status'."
        },
    )


CHECKS: tuple[Check, ...] = (receipts().check(), *CHECKPOINTS, *subjects())
