"""Decisions, permits, verdicts and evidence against what the log says of them."""

from governance.workflows.reconcile.checks import Check, Pairing, check, differing, moment, one_of

_DECIDED = moment("s.said ->> 'decided_at'")
_RETAINED = moment("e.data ->> 'retain_until'")

DECISIONS = Pairing(
    code="decision",
    noun="decision",
    rows="SELECT id::text AS key, id AS ord, * FROM decisions_decisionrecord",
    entries=one_of("decision.recorded"),
    key="e.subject_id",
    differs={
        "kind": ("r.kind", "e.data ->> 'decision_kind'"),
        "job_id": ("r.job_id::text", "e.data ->> 'job'"),
        "effect": ("r.effect", "e.data ->> 'effect'"),
        "reason_codes": ("to_jsonb(r.reason_codes)", "e.data -> 'reason_codes'"),
        "facts_digest": ("r.facts_digest", "e.data ->> 'facts_sha256'"),
        "revision_digest": ("r.revision_digest", "e.data ->> 'revision'"),
        "engine": ("r.engine", "e.data ->> 'engine'"),
    },
)

PERMITS = Pairing(
    code="permit",
    noun="permit",
    rows="SELECT id::text AS key, id AS ord, * FROM decisions_permit",
    entries=one_of("permit.issued"),
    key="e.subject_id",
    differs={
        "job_id": ("r.job_id::text", "e.data ->> 'job'"),
        "decision_id": ("r.decision_id::text", "e.data ->> 'decision'"),
        "expires_at": ("r.expires_at", moment("e.data ->> 'expires_at'")),
    },
)

REDEMPTIONS = Pairing(
    code="permit_use",
    noun="use of permit",
    rows="SELECT id::text AS key, id AS ord, job_id FROM decisions_permit WHERE redeemed_at IS NOT NULL",
    entries=one_of("permit.redeemed"),
    key="e.subject_id",
    differs={"job_id": ("r.job_id::text", "e.data ->> 'job'")},
)

VERDICTS = Pairing(
    code="verdict",
    noun="moderation of job",
    rows="SELECT job_id || ' ' || stage AS key, id AS ord, * FROM moderation_moderationverdict",
    entries=one_of("moderation.recorded"),
    key="e.subject_id || ' ' || (e.data ->> 'stage')",
    differs={
        "content_sha256": ("r.content_sha256", "e.data ->> 'content_sha256'"),
        "moderator_sha256": ("r.moderator_sha256", "e.data ->> 'moderator_sha256'"),
        # The log holds thousandths, rounded; a tie may round either way.
        "score": ("true", "abs(r.score * 1000 - (e.data ->> 'score_permille')::float8) <= 0.5001"),
    },
)

EVIDENCE = Pairing(
    code="evidence",
    noun="evidence",
    rows="SELECT id::text AS key, id AS ord, * FROM audit_evidencerecord",
    entries=one_of("evidence.issued"),
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
    entries=one_of("evidence.anchored"),
    key="e.data ->> 'evidence_id'",
    differs={
        "uri": ("r.uri", "e.data ->> 'uri'"),
        "version_id": ("r.version_id", "e.data ->> 'version_id'"),
        "sha256": ("r.sha256", "e.data ->> 'sha256'"),
        "size": ("r.size", "(e.data ->> 'size')::numeric"),
        "mode": ("r.mode", "e.data ->> 'mode'"),
        # Retention may have been extended since, never shortened.
        "retain_until": ("true", f"r.retain_until >= {_RETAINED}"),
    },
)

_SIGNED = "convert_from(decode(t.envelope::jsonb ->> 'payload', 'base64'), 'UTF8')::jsonb -> 'predicate'"
_IN_RECEIPT = {
    "partner": "d.partner IS DISTINCT FROM s.said ->> 'partner'",
    "client_id": "d.client_id IS DISTINCT FROM s.said ->> 'client'",
    "purpose": "d.purpose IS DISTINCT FROM s.said ->> 'purpose'",
    "obligations": "d.obligations IS DISTINCT FROM s.said -> 'obligations'",
    "decided_at": f"d.decided_at IS DISTINCT FROM {_DECIDED}",
}

RECEIPTS = check(
    "decision_receipt_differs",
    subject="'decision ' || id",
    message="'Its receipt says otherwise in: ' || fields || '.'",
    found=f"""FROM (
        SELECT d.id, concat_ws(', ', {differing(_IN_RECEIPT)}) AS fields
        FROM decisions_decisionrecord AS d
        JOIN audit_receipt AS t ON t.kind = 'decision.recorded' AND t.subject_id = d.id::text
        CROSS JOIN LATERAL (SELECT {_SIGNED} AS said) AS s
    ) AS compared WHERE fields <> ''""",
    remedy="The signed receipt counts, not the row. Restore the row from a backup, and find out who wrote to it.",
)

CONSISTENCY = check(
    "decision_inconsistent",
    subject="'decision ' || d.id",
    message="""CASE WHEN d.effect = 'permit' THEN 'It permits, though one of its evaluations denies: '
        ELSE 'Its reasons are others than its reason codes: ' END || 'evaluations or reasons differ.'""",
    found="""FROM decisions_decisionrecord AS d
        WHERE d.effect = 'permit' AND jsonb_path_exists(d.evaluations, '$[*].effect ? (@ != "permit")')
        OR d.reason_codes::text[] <> ARRAY(
            SELECT DISTINCT reason ->> 'code' COLLATE "C" AS code FROM jsonb_array_elements(
                CASE WHEN jsonb_typeof(d.reasons) = 'array' THEN d.reasons ELSE '[]' END) AS reason ORDER BY code
        )""",
    remedy="Keep the database as it is, restore the row from a backup, and find out who wrote to it.",
)

CHECKS: tuple[Check, ...] = (
    *(each.check() for each in (DECISIONS, PERMITS, REDEMPTIONS, VERDICTS, EVIDENCE, REFERENCES)),
    RECEIPTS,
    CONSISTENCY,
)
