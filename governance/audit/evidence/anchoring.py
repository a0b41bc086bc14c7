"""Anchoring: evidence is written to WORM storage once, with a receipt of where."""

import logging
from uuid import UUID

from django.db import transaction

from governance.audit.choices import WormKind
from governance.audit.entries import EvidenceAnchored
from governance.audit.errors import EvidenceMissing
from governance.audit.evidence.receipts import record_with_receipt
from governance.audit.evidence.statements import open_evidence
from governance.audit.guards.advisory_locks import LockScope, wait_for_named_lock
from governance.audit.keeping.worm import store_object
from governance.audit.models import EvidenceRecord, WormReference
from governance.audit.types import AUDIT_ACTOR, SubjectRef
from governance.kernel.errors import GovernanceError, Unavailable
from governance.keys.ring import key_ring

logger = logging.getLogger(__name__)


def anchor_evidence(*, evidence_id: UUID) -> WormReference:
    """Write an evidence record to WORM storage and return its reference; an existing one is returned as it is.

    Safe to repeat and to run concurrently: one caller writes while the other waits, and bytes that a killed caller left
    in the store are used. Raises EvidenceMissing, EvidenceAltered and what WormStore.put raises.
    """
    with transaction.atomic():
        _lock_evidence(evidence_id)
        evidence = EvidenceRecord.objects.select_related("worm_reference").filter(id=evidence_id).first()
        if evidence is None:
            raise EvidenceMissing(f"There is no evidence {evidence_id}.")
        if hasattr(evidence, "worm_reference"):
            return evidence.worm_reference
        return _anchor(evidence)


def anchor_pending(*, limit: int = 100) -> int:
    """Anchor up to `limit` evidence records that are not yet in WORM, oldest first; return how many were.

    A record that cannot be anchored is logged and left for the next time; it does not block the others and is not
    counted. Raises Unavailable when the store itself does not work.
    """
    waiting = EvidenceRecord.objects.filter(worm_reference=None).order_by("created_at")
    anchored = 0
    for evidence_id in waiting.values_list("id", flat=True).iterator(chunk_size=limit):
        if anchored == limit:
            break
        try:
            anchor_evidence(evidence_id=evidence_id)
            anchored += 1
        except Unavailable:
            raise
        except GovernanceError as error:
            logger.error("Evidence %s was not anchored: %s (%s)", evidence_id, error.message, error.error_code)
    return anchored


def worm_key(evidence: EvidenceRecord) -> str:
    """Return where an evidence record belongs in the WORM store; the date is that of issue, in UTC."""
    return f"evidence/{evidence.created_at:%Y/%m/%d}/{evidence.subject_type}/{evidence.subject_id}.json"


def _anchor(evidence: EvidenceRecord) -> WormReference:
    predicate = open_evidence(key_ring=key_ring.get(), record=evidence)["predicate"]
    subject = SubjectRef(evidence.subject_type, evidence.subject_id)
    reference = store_object(
        kind=WormKind.EVIDENCE,
        subject=subject,
        key=worm_key(evidence),
        data=evidence.envelope.encode(),
        evidence=evidence,
        partner=str(predicate.get("partner", "")),
        region=str(predicate.get("region", "")),
    )
    entry = EvidenceAnchored.of(reference)
    record_with_receipt(
        entry,
        subject=subject,
        actor=AUDIT_ACTOR,
        statement_subject=[{"name": "object", "digest": {"sha256": reference.sha256}}],
        predicate=entry.to_data(),
    )
    return reference


def _lock_evidence(evidence_id: UUID) -> None:
    """Wait until no other transaction anchors this record. The append-only table refuses row locks for changes."""
    wait_for_named_lock(LockScope.EVIDENCE, evidence_id)
