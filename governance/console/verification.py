"""Checks receipts for the console, with the public verifier and the trust file of this installation."""

import hashlib
from dataclasses import dataclass

from django.core.files.uploadedfile import UploadedFile

from governance.audit.evidence import receipts
from governance.audit.log.trust import trust_file
from governance.audit.models import EvidenceRecord, Receipt
from governance.kernel.canonical import canonical_json
from governance.transparency.verifier import Outcome, Status, Verdict
from governance.transparency.verifier.checks import judge

TONES = {Outcome.OK: "good", Outcome.FAILED: "bad", Outcome.SKIPPED: "quiet"}
WORDS = {
    Status.VALID: ("Valid", "good", "The receipt is valid, and its entry is in the log."),
    Status.INVALID: ("Not valid", "bad", "Do not rely on this receipt."),
    Status.UNUSABLE: ("Cannot be checked", "warn", "It is neither valid nor invalid."),
}
TITLES = {
    "receipt": "The receipt can be read",
    "trust": "The trust file can be read",
    "artifact": "The file is the one that the receipt is about",
    "signature": "The statement is signed by a key of this installation",
    "key": "That key may make such statements, at that place in the log",
    "entry": "The log's entry names this statement",
    "inclusion": "The entry is at its place in the tree",
    "checkpoint": "The log signed that tree",
    "witnesses": "Enough witnesses cosigned it",
}


@dataclass(frozen=True, slots=True)
class CheckedStep:
    """One step of a verification, as the page shows it."""

    title: str
    tone: str
    detail: str


@dataclass(frozen=True, slots=True)
class CheckedReceipt:
    """The result of a verification: a word, its tone, a sentence, every step, and what was established."""

    word: str
    tone: str
    sentence: str
    steps: tuple[CheckedStep, ...]
    established: tuple[str, ...]


def check_receipt(receipt: bytes, *, artifact_sha256: str | None = None) -> CheckedReceipt:
    """Check the bytes of a receipt file, for a file with this SHA-256 (in hexadecimal) or by itself.

    Raises KeyHistoryAltered and what loading the keys raises; nothing for any input.
    """
    return _shown(judge(receipt=receipt, trust=trust(), artifact_sha256=artifact_sha256))


def sha256_of(artifact: "UploadedFile[bytes]") -> str:
    """Return the SHA-256 of an uploaded file in hexadecimal; it is read once, in parts."""
    found = hashlib.sha256()
    for chunk in artifact.chunks():
        found.update(chunk)
    return found.hexdigest()


def receipt_file(receipt: Receipt | EvidenceRecord) -> bytes:
    """Return the file of a receipt, with its proof once a published checkpoint covers its entry. Raises ReceiptMissing.

    Evidence is the receipt of how a job ended.
    """
    if isinstance(receipt, EvidenceRecord):
        return canonical_json(receipts.evidence_file(receipt)) + b"\n"
    return canonical_json(receipts.receipt_file(receipt)) + b"\n"


def trust() -> bytes:
    """Return the trust file by which this installation's receipts are checked. Viewing a page records nothing."""
    return trust_file(announce=False)


def _shown(verdict: Verdict) -> CheckedReceipt:
    word, tone, sentence = WORDS[verdict.status]
    steps = (CheckedStep(TITLES.get(each.name, each.name), TONES[each.outcome], each.detail) for each in verdict.steps)
    if verdict.status is Status.UNUSABLE and verdict.failed is None:
        sentence = "Everything so far is valid, but the proof is still to come: download the receipt again in a moment."
    return CheckedReceipt(word, tone, sentence, tuple(steps), verdict.established)
