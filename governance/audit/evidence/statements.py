"""Evidence and receipts as in-toto statements in DSSE envelopes: how they are made, opened and verified.

A statement (in-toto Statement v1, github.com/in-toto/attestation, spec/v1/statement.md) names its subjects by digest.
Besides the caller's data, the predicate has a member `evidence` or `receipt` that names the record itself, so that an
envelope cannot be passed off as another record's, and states when the log will show it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict, cast
from uuid import UUID

from django.conf import settings

from governance.audit.errors import EntryInvalid, EvidenceAltered, ReceiptAltered
from governance.audit.models import EvidenceRecord, Receipt
from governance.audit.types import SubjectRef
from governance.kernel.canonical import Json, canonical_json, sha256_hex, timestamp, to_json_object, to_json_value
from governance.kernel.errors import GovernanceError, IntegrityFault
from governance.kernel.json_reading import read_json_object
from governance.keys.dsse import IN_TOTO_PAYLOAD_TYPE, Envelope, sign_envelope, verify_envelope
from governance.keys.ring import KeyPurpose, KeyRing

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
EVIDENCE_MEMBER = "evidence"
RECEIPT_MEMBER = "receipt"
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


class Statement(TypedDict):
    """An in-toto statement (Statement v1) as JSON values."""

    _type: str
    subject: list[Json]
    predicateType: str
    predicate: dict[str, Json]


@dataclass(frozen=True, slots=True)
class EvidenceIdentity:
    """How an evidence record identifies itself; `issued_at` is aware."""

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
    statement_subject: Sequence[Mapping[str, Json]],
    predicate: Mapping[str, Json],
) -> Statement:
    """Return the statement as JSON values. Raises EntryInvalid for malformed subjects or predicates."""
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
    statement_subject: Sequence[Mapping[str, Json]],
    predicate: Mapping[str, Json],
    member: str,
    about: Mapping[str, Json],
) -> Statement:
    """Return a statement whose predicate identifies the statement itself in `member`. Raises EntryInvalid."""
    subjects = [to_json_value(each) for each in statement_subject]
    if not subjects or not all(_is_resource(each) for each in subjects):
        raise EntryInvalid("A statement needs subjects with a name and digests, such as {'sha256': '...'}.")
    if member in predicate:
        raise EntryInvalid(f"The predicate may not have a member '{member}' of its own.")
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": predicate_type,
        "predicate": {**to_json_object(predicate), member: dict(about)},
    }


def included_by(issued_at: datetime) -> str:
    """Return the promised time by which something issued at `issued_at` will be under a checkpoint."""
    return timestamp(issued_at + timedelta(seconds=settings.ASSENT_LOG_PROMISE_SECONDS))


def seal_statement(*, key_ring: KeyRing, statement: Statement, purpose: KeyPurpose = KeyPurpose.EVIDENCE) -> Envelope:
    """Return the statement signed with the key of `purpose`. Raises NotCanonical, KeyUnavailable."""
    return sign_envelope(
        key_ring=key_ring,
        purpose=purpose,
        payload_type=IN_TOTO_PAYLOAD_TYPE,
        payload=canonical_json(statement),
    )


@dataclass(frozen=True, slots=True)
class _Sort:
    """What differs between the two sorts of signed rows."""

    word: str
    purpose: KeyPurpose
    member: str
    error: type[IntegrityFault]


_EVIDENCE = _Sort("evidence", KeyPurpose.EVIDENCE, EVIDENCE_MEMBER, EvidenceAltered)
_RECEIPT = _Sort("receipt", KeyPurpose.RECEIPT, RECEIPT_MEMBER, ReceiptAltered)


def open_evidence(*, key_ring: KeyRing, record: EvidenceRecord) -> Statement:
    """Return the statement of a record after checking digest, signature, and that row and statement agree.

    Raises EvidenceAltered, which says what is wrong.
    """
    identity = EvidenceIdentity(
        id=record.id,
        subject=SubjectRef(record.subject_type, record.subject_id),
        outcome=record.outcome,
        issued_at=record.created_at,
    )
    return _opened(_EVIDENCE, key_ring=key_ring, row=record, stored=identity.to_json())


def open_receipt(*, key_ring: KeyRing, receipt: Receipt) -> Statement:
    """Return the statement of a receipt after checking digest, signature, and that row and statement agree.

    Raises ReceiptAltered, which says what is wrong.
    """
    stored: dict[str, Json] = {
        "id": str(receipt.id),
        "entry_id": str(receipt.entry_id),
        "kind": receipt.kind,
        "subject": {"type": receipt.subject_type, "id": receipt.subject_id},
        "issued_at": timestamp(receipt.created_at),
    }
    return _opened(_RECEIPT, key_ring=key_ring, row=receipt, stored=stored)


def _opened(sort: _Sort, *, key_ring: KeyRing, row: EvidenceRecord | Receipt, stored: Mapping[str, Json]) -> Statement:
    name = f"{sort.word.capitalize()} {row.id} of {row.subject_type}:{row.subject_id}"
    if sha256_hex(row.envelope.encode()) != row.envelope_sha256:
        raise sort.error(f"{name}: the envelope does not have the recorded SHA-256.", code=f"{sort.word}_digest")
    try:
        envelope = Envelope.from_json(row.envelope)
        payload = verify_envelope(
            key_ring=key_ring,
            purpose=sort.purpose,
            envelope=envelope,
            expected_payload_type=IN_TOTO_PAYLOAD_TYPE,
            at=row.created_at,
        )
    except GovernanceError as error:
        raise sort.error(f"{name}: {error.message}", code=f"{sort.word}_signature") from error
    try:
        statement = cast("Statement", read_json_object(payload))
        signed = statement["predicate"][sort.member]
        if not isinstance(signed, dict):
            raise TypeError(f"the member '{sort.member}' is not an object")
        differing = [each for each, value in stored.items() if signed[each] != value]
        differing += _differing_columns(row, envelope, statement)
    except (ValueError, LookupError, TypeError) as error:
        raise sort.error(f"{name}: the signed statement is not {sort.word}.", code=f"{sort.word}_row") from error
    if differing:
        raise sort.error(
            f"{name}: the signed statement differs from the row in {', '.join(differing)}.", code=f"{sort.word}_row"
        )
    return statement


def _differing_columns(row: EvidenceRecord | Receipt, envelope: Envelope, statement: Statement) -> list[str]:
    differing = [] if statement["predicateType"] == row.predicate_type else ["predicate_type"]
    return differing + ([] if row.key_id in {each.key_id for each in envelope.signatures} else ["key_id"])


def _is_resource(entry: Json) -> bool:
    digests = entry.get("digest") if isinstance(entry, dict) and entry.get("name") else None
    return isinstance(digests, dict) and bool(digests) and all(isinstance(each, str) for each in digests.values())
