"""Kinds of ledger entries of the audit area."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from governance.audit.models import EvidenceRecord, WormReference
from governance.audit.recording.declarations import Entry, entry

#: Evidence is about whatever ended; today that is a job.
EVIDENCE_SUBJECTS = ("job",)


@entry("evidence.issued", subject=EVIDENCE_SUBJECTS)
class EvidenceIssued(Entry):
    """Evidence was signed of how something ended."""

    evidence_id: Annotated[UUID, "Id of the evidence record."]
    outcome: Annotated[str, "How the subject ended."]
    predicate_type: Annotated[str, "Predicate type of the signed statement."]
    envelope_sha256: Annotated[str, "SHA-256 of the DSSE envelope."]
    key_id: Annotated[str, "Id of the key that signed it."]

    @classmethod
    def of(cls, evidence: EvidenceRecord) -> Self:
        """Return what the ledger says of an evidence record."""
        return cls(
            evidence_id=evidence.id,
            outcome=evidence.outcome,
            predicate_type=evidence.predicate_type,
            envelope_sha256=evidence.envelope_sha256,
            key_id=evidence.key_id,
        )


@entry("evidence.anchored", subject=EVIDENCE_SUBJECTS, receipt="worm-anchor/v1")
class EvidenceAnchored(Entry):
    """An evidence record was written to WORM storage."""

    evidence_id: Annotated[UUID, "Id of the evidence record."]
    uri: Annotated[str, "Where the object lies."]
    version_id: Annotated[str, "Which version of the object it is."]
    sha256: Annotated[str, "SHA-256 of the object's bytes."]
    size: Annotated[int, "Size of the object in bytes."]
    mode: Annotated[str, "How the store keeps it, such as COMPLIANCE."]
    retain_until: Annotated[datetime, "Until when the store keeps it."]

    @classmethod
    def of(cls, reference: WormReference) -> Self:
        """Return what the ledger says of the WORM reference of an evidence record."""
        if reference.evidence_id is None:
            raise ValueError(f"{reference} is not the reference of evidence.")
        return cls(
            evidence_id=reference.evidence_id,
            uri=reference.uri,
            version_id=reference.version_id,
            sha256=reference.sha256,
            size=reference.size,
            mode=reference.mode,
            retain_until=reference.retain_until,
        )
