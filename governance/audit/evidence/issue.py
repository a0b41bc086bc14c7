"""Issuing evidence: a signed statement of how something ended, with its ledger entry."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction

from governance.audit.entries import EvidenceIssued
from governance.audit.errors import EvidenceExists
from governance.audit.evidence.statements import EvidenceIdentity, build_statement, seal_statement
from governance.audit.models import EvidenceRecord
from governance.audit.recording.record import need_transaction, record
from governance.audit.types import AUDIT_ACTOR, SubjectRef
from governance.kernel import clock
from governance.kernel.canonical import Json, sha256_hex
from governance.kernel.ids import new_id
from governance.keys.ring import key_ring


def issue_evidence(
    *,
    subject: SubjectRef,
    outcome: str,
    predicate_type: str,
    statement_subject: list[dict[str, Json]],
    predicate: Mapping[str, Json],
) -> EvidenceRecord:
    """Sign a statement of how `subject` ended and store it in the current transaction, with its ledger entry.

    `statement_subject` are in-toto resource descriptors (name and digests) of the statement's subject; the
    predicate gains a member `evidence` that names this record. It is written to WORM later, by `anchor_evidence`.
    Raises OutsideTransaction, EntryInvalid, NotCanonical, KeyUnavailable, and EvidenceExists when the subject has
    evidence already.
    """
    need_transaction(f"evidence of {subject}")
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
        raise EvidenceExists(f"Evidence of {subject} exists already.", details={"subject": str(subject)}) from error
    record(EvidenceIssued.of(evidence), subject=subject, actor=AUDIT_ACTOR)
    return evidence
