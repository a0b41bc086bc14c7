"""What the ledger says of decisions and permits must match their rows, and the facts their digest."""

from collections.abc import Iterator

from governance.audit.recording.reconciling import (
    Pairing,
    check,
    declare_checks,
    declare_counted,
    declare_kept,
    declare_scan,
    differing,
    moment,
)
from governance.audit.tally import Tally
from governance.audit.types import Fault
from governance.decisions.entries import DecisionRecorded, PermitIssued, PermitRedeemed
from governance.decisions.models import DecisionRecord, Permit
from governance.kernel.canonical import digest

_DECIDED = moment("s.said ->> 'decided_at'")

DECISIONS = Pairing(
    code="decision",
    noun="decision",
    rows="SELECT id::text AS key, id AS ord, * FROM decisions_decisionrecord",
    entries=(DecisionRecorded,),
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
    entries=(PermitIssued,),
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
    entries=(PermitRedeemed,),
    key="e.subject_id",
    differs={"job_id": ("r.job_id::text", "e.data ->> 'job'")},
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
    message="'Its receipt differs in: ' || fields || '.'",
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

PERMITTED = check(
    "permit_without_decision",
    subject="'permit ' || p.id",
    message="'It does not rest on a decision that permits this job to run.'",
    found="""FROM decisions_permit AS p LEFT JOIN decisions_decisionrecord AS d ON d.id = p.decision_id
          WHERE d.id IS NULL OR d.kind <> 'permit' OR d.effect <> 'permit' OR d.job_id <> p.job_id""",
    remedy="Keep the database as it is, look at the job's history in the log, and find out who wrote to it.",
)

declare_checks(DECISIONS, PERMITS, REDEMPTIONS, RECEIPTS, CONSISTENCY, PERMITTED)
declare_counted(decisions=DecisionRecord, permits=Permit)
declare_kept("decision", DecisionRecord)
declare_kept("permit", Permit)

_CHUNK = 1000
_FACTS_REMEDY = "The log counts, not the row. Restore the row from a backup, and find out who wrote to it."


@declare_scan
def facts_faults(tally: Tally) -> Iterator[Fault]:
    """Hash the facts of every decision again: they are too large for the log, which holds their digest."""
    rows = DecisionRecord.objects.order_by("id").values_list("id", "evaluations", "facts_digest")
    for key, evaluations, promised in tally.counted("facts", rows.iterator(chunk_size=_CHUNK), total=rows.count()):
        if _digest(evaluations) != promised:
            message = "Its facts do not have the digest that was recorded: evaluations differs."
            yield Fault(f"decision {key}", "decision_facts", message, _FACTS_REMEDY)


def _digest(evaluations: object) -> str:
    """Return the digest of the facts, nothing for what is no list of evaluations."""
    try:
        return digest([each["facts"] for each in evaluations])  # type: ignore[attr-defined]
    except (LookupError, TypeError):
        return ""
