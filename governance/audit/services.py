"""What the audit area does: record, put in order, issue evidence, and write it once and for ever."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from governance.audit.choices import WormKind
from governance.audit.entries import build_entry
from governance.audit.errors import EvidenceExists, EvidenceMissing, OutsideTransaction
from governance.audit.models import EvidenceRecord, OutboxEntry, WormReference
from governance.audit.statements import EvidenceIdentity, build_statement, open_evidence, seal_statement
from governance.audit.types import Actor, SubjectRef
from governance.audit.worm import object_data, store_object
from governance.kernel import clock
from governance.kernel.canonical import Json, sha256_hex
from governance.kernel.errors import GovernanceError, Unavailable
from governance.kernel.ids import new_id
from governance.kernel.keys import key_ring

logger = logging.getLogger(__name__)

EVIDENCE_ISSUED = "evidence.issued"
EVIDENCE_ANCHORED = "evidence.anchored"
AUDIT_ACTOR = Actor(type="system", id="audit")


def record(*, kind: str, subject: SubjectRef, actor: Actor, data: Mapping[str, Json]) -> UUID:
    """Write a ledger entry in the present transaction, so that it stands or falls with what it tells of.

    `data` holds ids, digests, numbers and codes, never personal data: an entry cannot be taken back. Returns the
    entry's id; its place in the ledger comes later, by `sequence_pending`. Raises OutsideTransaction, EntryInvalid,
    NotCanonical.
    """
    _need_transaction(f"the entry '{kind}'")
    entry_id, now = new_id(), clock.now()
    OutboxEntry.objects.create(
        entry_id=entry_id,
        kind=kind,
        subject_type=subject.type,
        subject_id=subject.id,
        actor_type=actor.type,
        actor_id=actor.id,
        occurred_at=now,
        body=build_entry(entry_id=entry_id, kind=kind, subject=subject, actor=actor, at=now, data=data),
    )
    return entry_id


def issue_evidence(
    *,
    subject: SubjectRef,
    outcome: str,
    predicate_type: str,
    statement_subject: list[dict[str, Any]],
    predicate: Mapping[str, Any],
) -> EvidenceRecord:
    """Sign a statement of how `subject` ended and store it in the present transaction, with its ledger entry.

    `statement_subject` are in-toto resource descriptors (name and digests) of what the statement is about; the
    predicate gains a member `evidence` that names this record. It is written to WORM later, by `anchor_evidence`.
    Raises OutsideTransaction, EntryInvalid, NotCanonical, KeyUnavailable, and EvidenceExists when the subject has
    evidence already.
    """
    _need_transaction(f"evidence of {subject}")
    identity = EvidenceIdentity(id=new_id(), subject=subject, outcome=outcome, issued_at=clock.now())
    statement = build_statement(
        identity=identity, predicate_type=predicate_type, statement_subject=statement_subject, predicate=predicate
    )
    envelope = seal_statement(key_ring=key_ring.get(), statement=statement)
    text = envelope.to_json()
    evidence = EvidenceRecord(
        id=identity.id,
        subject_type=subject.type,
        subject_id=subject.id,
        outcome=outcome,
        predicate_type=predicate_type,
        envelope=text,
        envelope_sha256=sha256_hex(text.encode()),
        key_id=envelope.signatures[0].key_id,
        created_at=identity.issued_at,
    )
    try:
        with transaction.atomic():
            evidence.save(force_insert=True)
    except IntegrityError as error:
        raise EvidenceExists(f"There is evidence of {subject} already.", details={"subject": str(subject)}) from error
    record(kind=EVIDENCE_ISSUED, subject=subject, actor=AUDIT_ACTOR, data=issued_data(evidence))
    return evidence


def anchor_evidence(*, evidence_id: UUID) -> WormReference:
    """Write an evidence record to WORM and store the reference; done already, return that reference.

    Safe to repeat and to run twice at once: one caller writes while the other waits, and bytes that a killed caller
    left in the store are taken over. Raises EvidenceMissing, EvidenceAltered and what WormStore.put raises.
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

    A record that cannot be anchored is logged and left for the next time; it neither holds up the others nor counts.
    Raises Unavailable when the store itself does not work.
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


def issued_data(evidence: EvidenceRecord) -> dict[str, Json]:
    """Return what the ledger says of an evidence record."""
    return {
        "evidence_id": str(evidence.id),
        "outcome": evidence.outcome,
        "predicate_type": evidence.predicate_type,
        "envelope_sha256": evidence.envelope_sha256,
        "key_id": evidence.key_id,
    }


def anchored_data(reference: WormReference) -> dict[str, Json]:
    """Return what the ledger says of a WORM reference."""
    return {"evidence_id": str(reference.evidence_id), **object_data(reference)}


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
    record(kind=EVIDENCE_ANCHORED, subject=subject, actor=AUDIT_ACTOR, data=anchored_data(reference))
    return reference


def _need_transaction(what: str) -> None:
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"Outside a transaction, {what} could come apart from what it tells of.")


def _lock_evidence(evidence_id: UUID) -> None:
    """Wait until no other transaction anchors this record; the table itself refuses to be locked for a change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"evidence:{evidence_id}"])
