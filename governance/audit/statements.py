"""Evidence and receipts as in-toto statements in DSSE envelopes: how one is made, how evidence is opened and judged.

A statement (in-toto Statement v1, github.com/in-toto/attestation, spec/v1/statement.md) names its subjects by digest.
Beside what the caller puts into the predicate, its member `evidence` or `receipt` names the record itself, so that an
envelope cannot be passed off as that of another record, and says by when the log will show it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from governance.audit.errors import EntryInvalid, EvidenceAltered
from governance.audit.models import EvidenceRecord
from governance.audit.types import SubjectRef
from governance.kernel.canonical import Json, canonical_json, sha256_hex, timestamp, to_json_value
from governance.kernel.dsse import IN_TOTO_PAYLOAD_TYPE, Envelope, sign_envelope, verify_envelope
from governance.kernel.errors import GovernanceError
from governance.kernel.keys import KeyPurpose, KeyRing

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATES = "https://assent.dev/predicates/"
EVIDENCE_MEMBER = "evidence"
RECEIPT_MEMBER = "receipt"
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class EvidenceIdentity:
    """What an evidence record says about itself; `issued_at` is aware."""

    id: UUID
    subject: SubjectRef
    outcome: str
    issued_at: datetime

    def to_json(self) -> dict[str, Json]:
        return {
            "id": str(self.id),
            "subject": {"type": self.subject.type, "id": self.subject.id},
            "outcome": self.outcome,
            "issued_at": timestamp(self.issued_at),
        }


def build_statement(
    *,
    identity: EvidenceIdentity,
    predicate_type: str,
    statement_subject: Sequence[Mapping[str, Any]],
    predicate: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the statement as JSON values. Raises EntryInvalid when the subjects or the predicate cannot be taken."""
    if not _PLAIN_ID.fullmatch(identity.subject.id):
        raise EntryInvalid(f"{identity.subject} cannot have evidence: its id is part of a file name.")
    return statement_of(
        predicate_type=predicate_type,
        statement_subject=statement_subject,
        predicate=predicate,
        member=EVIDENCE_MEMBER,
        about={**identity.to_json(), "included_by": included_by(identity.issued_at)},
    )


def statement_of(
    *,
    predicate_type: str,
    statement_subject: Sequence[Mapping[str, Any]],
    predicate: Mapping[str, Any],
    member: str,
    about: Mapping[str, Json],
) -> dict[str, Any]:
    """Return a statement whose predicate says in `member` what the statement itself is. Raises EntryInvalid."""
    subjects = [to_json_value(each) for each in statement_subject]
    if not subjects or not all(_is_resource(each) for each in subjects):
        raise EntryInvalid("A statement needs subjects with a name and digests, such as {'sha256': '...'}.")
    if member in predicate:
        raise EntryInvalid(f"The predicate may not have a member '{member}' of its own.")
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": predicate_type,
        "predicate": {**to_json_value(predicate), member: dict(about)},
    }


def included_by(issued_at: datetime) -> str:
    """Return until when something issued at `issued_at` will be under a checkpoint: what we promise."""
    return timestamp(issued_at + timedelta(seconds=settings.ASSENT_LOG_PROMISE_SECONDS))


def seal_statement(
    *, key_ring: KeyRing, statement: Mapping[str, Any], purpose: KeyPurpose = KeyPurpose.EVIDENCE
) -> Envelope:
    """Return the statement signed with the key of `purpose`. Raises NotCanonical, KeyUnavailable."""
    return sign_envelope(
        key_ring=key_ring,
        purpose=purpose,
        payload_type=IN_TOTO_PAYLOAD_TYPE,
        payload=canonical_json(statement),
    )


def open_evidence(*, key_ring: KeyRing, record: EvidenceRecord) -> dict[str, Any]:
    """Return the statement of a record after checking digest, signature, and that both say the same.

    Raises EvidenceAltered, which says what does not hold.
    """
    name = f"Evidence {record.id} of {record.subject_type}:{record.subject_id}"
    if sha256_hex(record.envelope.encode()) != record.envelope_sha256:
        raise EvidenceAltered(f"{name}: the envelope does not have the recorded SHA-256.", code="evidence_digest")
    try:
        envelope = Envelope.from_json(record.envelope)
        payload = verify_envelope(
            key_ring=key_ring,
            purpose=KeyPurpose.EVIDENCE,
            envelope=envelope,
            expected_payload_type=IN_TOTO_PAYLOAD_TYPE,
            at=record.created_at,
        )
    except GovernanceError as error:
        raise EvidenceAltered(f"{name}: {error.message}", code="evidence_signature") from error
    try:
        statement: dict[str, Any] = json.loads(payload)
        differing = _differences(record, envelope, statement)
    except (ValueError, LookupError, TypeError) as error:
        raise EvidenceAltered(f"{name}: what is signed is not evidence.", code="evidence_row") from error
    if differing:
        raise EvidenceAltered(
            f"{name}: the signed statement differs from the row in {', '.join(differing)}.", code="evidence_row"
        )
    return statement


def _differences(record: EvidenceRecord, envelope: Envelope, statement: Mapping[str, Any]) -> list[str]:
    signed = statement["predicate"][EVIDENCE_MEMBER]
    stored = EvidenceIdentity(
        id=record.id,
        subject=SubjectRef(record.subject_type, record.subject_id),
        outcome=record.outcome,
        issued_at=record.created_at,
    ).to_json()
    differing = [name for name, value in stored.items() if signed[name] != value]
    if statement["predicateType"] != record.predicate_type:
        differing.append("predicate_type")
    if record.key_id not in {each.key_id for each in envelope.signatures}:
        differing.append("key_id")
    return differing


def _is_resource(entry: Any) -> bool:
    digests = entry.get("digest") if isinstance(entry, dict) and entry.get("name") else None
    return isinstance(digests, dict) and bool(digests) and all(isinstance(each, str) for each in digests.values())
