"""What the ledger says of revisions, activations, drafts, approvals and freezes must match their rows."""

from governance.audit.recording.reconciling import Pairing, check, declare_checks, declare_counted, declare_kept
from governance.rulebook.entries import (
    DraftStep,
    FreezeLifted,
    FreezeStarted,
    RevisionActivated,
    RevisionAnchored,
    RevisionPublished,
)
from governance.rulebook.models import PolicyActivation, PolicyDraft, PolicyFreeze, PolicyRevision

REVISIONS = Pairing(
    code="revision",
    noun="policy revision",
    rows="SELECT digest AS key, id AS ord, * FROM rulebook_policyrevision",
    entries=(RevisionPublished,),
    key="e.subject_id",
    differs={
        "number": ("r.number", "(e.data ->> 'number')::numeric"),
        "rule_count": ("r.rule_count", "(e.data ->> 'rules')::numeric"),
        "content": ("encode(sha256(convert_to(r.content, 'UTF8')), 'hex')", "e.subject_id"),
        "created_by": ("r.created_by", "e.actor"),
    },
)

ACTIVATIONS = Pairing(
    code="activation",
    noun="activation of policy revision",
    rows="""SELECT r.digest AS key, a.id AS ord, a.kind, a.activated_by, coalesce(b.digest, '') AS replaced
            FROM rulebook_policyactivation AS a JOIN rulebook_policyrevision AS r ON r.id = a.revision_id
            LEFT JOIN rulebook_policyrevision AS b ON b.id = a.replaced_id""",
    entries=(RevisionActivated,),
    key="e.subject_id",
    differs={
        "kind": ("r.kind", "e.data ->> 'kind'"),
        "replaced": ("r.replaced", "e.data ->> 'replaced'"),
        "activated_by": ("r.activated_by", "e.actor"),
    },
)

ARCHIVED = Pairing(
    code="archived_revision",
    noun="archive of policy revision",
    rows="""SELECT r.digest AS key, a.id AS ord, a.* FROM rulebook_revisionanchor AS a
            JOIN rulebook_policyrevision AS r ON r.id = a.revision_id""",
    entries=(RevisionAnchored,),
    key="e.subject_id",
    differs={
        "uri": ("r.uri", "e.data ->> 'uri'"),
        "version_id": ("r.version_id", "e.data ->> 'version_id'"),
        "sha256": ("r.sha256", "e.data ->> 'sha256'"),
        "size": ("r.size", "(e.data ->> 'size')::numeric"),
        "mode": ("r.mode", "e.data ->> 'mode'"),
    },
)

STEPS = Pairing(
    code="draft_step",
    noun="step of policy draft",
    rows="SELECT draft_id::text AS key, id AS ord, * FROM rulebook_draftevent",
    entries=(DraftStep,),
    key="e.subject_id",
    differs={
        "step": ("r.step", "substr(e.kind, 7)"),
        "state": ("r.state", "e.data ->> 'state'"),
        "digest": ("r.digest", "e.data ->> 'digest'"),
        "person": ("r.person", "e.actor"),
    },
)

FREEZES = Pairing(
    code="freeze",
    noun="policy freeze",
    rows="SELECT id::text AS key, id AS ord, * FROM rulebook_policyfreeze",
    entries=(FreezeStarted,),
    key="e.subject_id",
    differs={
        "frozen_by": ("r.frozen_by", "e.actor"),
        "reason": ("encode(sha256(convert_to(r.reason, 'UTF8')), 'hex')", "e.data ->> 'reason_sha256'"),
    },
)

LIFTS = Pairing(
    code="freeze_lift",
    noun="lift of policy freeze",
    rows="SELECT id::text AS key, id AS ord, * FROM rulebook_policyfreeze WHERE NOT active",
    entries=(FreezeLifted,),
    key="e.subject_id",
    differs={
        "lifted_by": ("r.lifted_by", "e.actor"),
        "lift_asked_by": ("r.lift_asked_by", "e.data ->> 'asked_by'"),
    },
)

APPROVALS = check(
    "approval_differs",
    subject="'policy draft ' || d.id",
    message="""'It says approved by ' || d.approved_by || '; the last approval on record is by '
        || coalesce(e.person, 'nobody') || ': approved_by differs.'""",
    found="""FROM rulebook_policydraft AS d LEFT JOIN (
            SELECT DISTINCT ON (draft_id) draft_id, person FROM rulebook_draftevent WHERE step = 'approved'
            ORDER BY draft_id, id DESC
        ) AS e ON e.draft_id = d.id
        WHERE d.approved_by <> '' AND d.approved_by IS DISTINCT FROM e.person""",
    remedy="The events count, not the row. Freeze policy if this draft decides, and find out who wrote to the row.",
)

ACTIVE = check(
    "active_not_archived",
    subject="'policy revision ' || r.digest",
    message="'It decides or decided, but is not in WORM storage.'",
    found="""FROM rulebook_policyrevision AS r
        WHERE EXISTS (SELECT FROM rulebook_policyactivation AS a WHERE a.revision_id = r.id)
        AND NOT EXISTS (SELECT FROM audit_wormreference AS w WHERE w.kind = 'policy' AND w.subject_id = r.digest)""",
    remedy="Activate it again, which archives it, and look for what removed the reference.",
)

declare_checks(REVISIONS, ACTIVATIONS, ARCHIVED, STEPS, FREEZES, LIFTS, APPROVALS, ACTIVE)
declare_counted(policy_activations=PolicyActivation)
declare_kept("revision", PolicyRevision, column="digest")
declare_kept("draft", PolicyDraft)
declare_kept("freeze", PolicyFreeze)
