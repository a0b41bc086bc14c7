"""Commitments: how ledger entries refer to personal data without revealing it.

A commitment is SHA-256 over the canonical JSON (RFC 8785) of `name`, a random salt and the value. The salt is kept in a
side table. Whoever knows salt and value can prove that an entry is about them. Once the salt is deleted nobody can: a
guessed value cannot be tested against 256 random bits.
"""

import hmac
from collections.abc import Mapping

from django.db import connection
from django.db.models import CharField, OuterRef, Subquery
from django.db.models.functions import Cast

from governance.audit.errors import OutsideTransaction
from governance.audit.models import CommitmentSalt
from governance.audit.recording.entries import check_reference
from governance.audit.types import SubjectRef
from governance.kernel.canonical import Json, digest
from governance.kernel.ids import new_secret

SALT_BYTES = 32


def commitment_of(*, name: str, salt: bytes, value: Json) -> str:
    """Return the commitment to a value, in hexadecimal: what anyone with salt and value can recompute."""
    return digest({"name": name, "salt": salt.hex(), "value": value})


def commit(*, subject: SubjectRef, name: str, value: Json) -> str:
    """Return a fresh commitment to `value`, and keep its salt until `forget`.

    Two commitments to the same value cannot be linked to each other. Raises
    OutsideTransaction and EntryInvalid.
    """
    check_reference(subject)
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"Outside a transaction, the salt of {subject} could be kept without its entry.")
    salt = new_secret(SALT_BYTES)
    CommitmentSalt.objects.create(subject_type=subject.type, subject_id=subject.id, name=name, salt=salt)
    return commitment_of(name=name, salt=salt, value=value)


def open_commitment(*, subject: SubjectRef, name: str, value: Json, commitment: str) -> str | None:
    """Return the salt, in hexadecimal, with which `value` gives `commitment`; None if there is none (any more)."""
    kept = CommitmentSalt.objects.filter(subject_type=subject.type, subject_id=subject.id, name=name)
    for salt in kept.values_list("salt", flat=True).order_by("created_at", "id"):
        if hmac.compare_digest(commitment_of(name=name, salt=bytes(salt), value=value), commitment):
            return bytes(salt).hex()
    return None


def newest_salt(subject_type: str, name: str) -> Subquery:
    """Return, for a query over rows whose key is their subject's id, the salt of the newest commitment to `name`."""
    key = Cast(OuterRef("pk"), CharField())
    salts = CommitmentSalt.objects.filter(subject_type=subject_type, subject_id=key, name=name)
    return Subquery(salts.order_by("-created_at", "-id").values("salt")[:1])


def newest_salts(subject: SubjectRef) -> Mapping[str, bytes]:
    """Return the salt of the newest commitment to each value of `subject`, by the value's name."""
    salts = CommitmentSalt.objects.filter(subject_type=subject.type, subject_id=subject.id)
    return {name: bytes(salt) for name, salt in salts.order_by("created_at", "id").values_list("name", "salt")}


def forget(*subjects: SubjectRef) -> int:
    """Delete every salt of the subjects, for good, and return how many there were."""
    by_type: dict[str, list[str]] = {}
    for subject in subjects:
        by_type.setdefault(subject.type, []).append(subject.id)
    return sum(
        CommitmentSalt.objects.filter(subject_type=each, subject_id__in=ids).delete()[0]
        for each, ids in by_type.items()
    )
