"""The checks of a receipt, in order. The first step that fails ends the verification; later steps are skipped.

    receipt     the file can be read                         unusable if not
    trust       the trust file can be read                   unusable if not
    artifact    the file has the SHA-256 that the statement names
    signature   a key that the trust file names signed the statement (DSSE)
    key         that key may make such statements, at that place in the log
    entry       the log's entry names this envelope, key, kind and subject
    inclusion   the entry is at its place in the tree (RFC 9162 section 2.1.3.2)
    checkpoint  the log signed that tree
    witnesses   enough others cosigned it

Each check returns an outcome and a sentence, or raises a GovernanceError whose message says why the receipt is wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from governance.kernel.canonical import canonical_json, sha256_hex
from governance.kernel.errors import GovernanceError, IntegrityFault
from governance.keys.dsse import IN_TOTO_PAYLOAD_TYPE, pae
from governance.keys.pairs import is_signed_by
from governance.transparency.merkle import leaf_hash
from governance.transparency.notes import open_note, witnessed_at
from governance.transparency.proofs import verify_inclusion
from governance.transparency.verifier.reading import Unreadable, members, read_json
from governance.transparency.verifier.receipt import Proof, ReceiptFile, read_receipt
from governance.transparency.verifier.trust import StatementKey, TrustFile, read_trust
from governance.transparency.verifier.verdict import Outcome, Status, Step, Verdict

EVIDENCE_KIND = "evidence.issued"
ENTRY_MEMBERS = ("v", "entry_id", "kind", "subject", "actor", "at", "data")
_NO_PROOF = "The receipt has no proof yet."

Finding: TypeAlias = tuple[Outcome, str]


class CheckFailed(IntegrityFault):
    """A check of the receipt failed."""

    code = "receipt_invalid"


@dataclass(frozen=True, slots=True)
class Case:
    """What is verified, and against which trust file; `artifact_sha256` is None when no artifact was given."""

    receipt: ReceiptFile
    trust: TrustFile
    artifact_sha256: str | None


def verify(receipt: bytes, artifact: bytes | None, trust: bytes) -> Verdict:
    """Judge a receipt file by a trust file, for an artifact or (None) by itself. Raises nothing, whatever it is given.

    Without a proof the status is at best `unusable`: what is there is right, but cannot be relied on yet.
    """
    return judge(receipt=receipt, trust=trust, artifact_sha256=None if artifact is None else sha256_hex(artifact))


def judge(*, receipt: bytes, trust: bytes, artifact_sha256: str | None) -> Verdict:
    """Do what `verify` does for an artifact of which only the SHA-256 is known, in hexadecimal."""
    try:
        parsed = read_receipt(receipt)
    except Unreadable as error:
        return unusable("receipt", error.message)
    steps = [Step("receipt", Outcome.OK, f"A receipt of type {parsed.statement.predicate_type}.")]
    try:
        case = Case(parsed, read_trust(trust), artifact_sha256)
    except Unreadable as error:
        return unusable("trust", error.message, *steps)
    steps.append(Step("trust", Outcome.OK, f"The trust file for {case.trust.origin}, SHA-256 {case.trust.sha256}."))
    for name, check in CHECKS:
        try:
            outcome, detail = check(case)
        except GovernanceError as error:
            failed = Step(name, Outcome.FAILED, error.message)
            return Verdict(Status.INVALID, (*steps, failed, *_not_reached(name, f"Not looked at: {name} failed.")))
        steps.append(Step(name, outcome, detail))
    if parsed.proof is None:
        return Verdict(Status.UNUSABLE, tuple(steps))
    return Verdict(Status.VALID, tuple(steps), _established(case, parsed.proof))


def unusable(name: str, message: str, *before: Step) -> Verdict:
    """Return the verdict on input that could not be read at the step `name`."""
    why = f"Not looked at: {name} cannot be read."
    earlier = before or [Step(each, Outcome.SKIPPED, why) for each in STEP_NAMES[: STEP_NAMES.index(name)]]
    return Verdict(Status.UNUSABLE, (*earlier, Step(name, Outcome.FAILED, message), *_not_reached(name, why)))


def _check_artifact(case: Case) -> Finding:
    if case.artifact_sha256 is None:
        return Outcome.SKIPPED, "No artifact was given."
    named = [name for name, sha256 in case.receipt.statement.subjects if sha256 == case.artifact_sha256]
    if not named:
        raise CheckFailed(f"The file has SHA-256 {case.artifact_sha256}, which the statement does not name.")
    return Outcome.OK, f"The file has SHA-256 {case.artifact_sha256}: the statement's subject '{named[0]}'."


def _check_signature(case: Case) -> Finding:
    envelope = case.receipt.envelope
    if envelope.payload_type != IN_TOTO_PAYLOAD_TYPE:
        raise CheckFailed(f"The envelope is of type {envelope.payload_type!r}, not {IN_TOTO_PAYLOAD_TYPE!r}.")
    key, signature = _key(case), envelope.signatures[0]
    if not is_signed_by(key.public, pae(envelope.payload_type, envelope.payload), signature.value):
        raise CheckFailed(f"The signature of key {key.key_id} does not fit the statement.")
    if case.receipt.included_by != case.receipt.statement.about.included_by:
        raise CheckFailed("The receipt promises another time of inclusion than the statement that was signed.")
    return Outcome.OK, f"Key {key.key_id} signed the statement."


def _check_key(case: Case) -> Finding:
    key, predicate = _key(case), case.receipt.statement.predicate_type
    if predicate not in key.predicates:
        raise CheckFailed(f"Key {key.key_id} may not make statements of type {predicate!r}.")
    if case.receipt.proof is None:
        return Outcome.SKIPPED, f"{_NO_PROOF} Where in the log it stands, and so whether the key counts, is not known."
    index = case.receipt.proof.file.index
    if not key.counts.allows(index):
        raise CheckFailed(f"Key {key.key_id} counts {key.counts}; the receipt stands at entry {index}.")
    return Outcome.OK, f"Key {key.key_id} may make such statements at entry {index}: it counts {key.counts}."


def _check_entry(case: Case) -> Finding:
    receipt, (entry, data) = case.receipt, _entry(case.receipt.entry)
    statement, about = receipt.statement, receipt.statement.about
    compared: dict[str, tuple[object, object]] = {
        "subject": (entry["subject"], about.subject),
        "envelope_sha256": (data.get("envelope_sha256"), receipt.envelope_sha256),
        "predicate_type": (data.get("predicate_type"), statement.predicate_type),
        "key_id": (data.get("key_id"), receipt.envelope.signatures[0].key_id),
    }
    if statement.evidence:
        compared |= {"kind": (entry["kind"], EVIDENCE_KIND), "evidence_id": (data.get("evidence_id"), about.id)}
    else:
        compared |= {"kind": (entry["kind"], about.kind), "entry_id": (entry["entry_id"], about.entry_id)}
    differing = [name for name, (there, here) in compared.items() if there is None or there != here]
    if differing:
        raise CheckFailed(f"The log's entry and the receipt say different things in {', '.join(differing)}.")
    return Outcome.OK, f"The log's entry '{entry['kind']}' names this envelope."


def _check_inclusion(case: Case) -> Finding:
    if case.receipt.proof is None:
        return Outcome.SKIPPED, _NO_PROOF
    file, tree = case.receipt.proof.file, case.receipt.proof.tree
    leaf = leaf_hash(case.receipt.entry)
    verify_inclusion(index=file.index, size=tree.size, leaf=leaf, proof=file.hashes, root=tree.root)
    return Outcome.OK, f"The entry is number {file.index} of the {tree.size} in the checkpoint, counted from 0."


def _check_checkpoint(case: Case) -> Finding:
    if case.receipt.proof is None:
        return Outcome.SKIPPED, _NO_PROOF
    file, tree = case.receipt.proof.file, case.receipt.proof.tree
    if tree.origin != case.trust.origin:
        raise CheckFailed(f"The checkpoint is of the log {tree.origin!r}, not of {case.trust.origin!r}.")
    opened = open_note(note=file.checkpoint, keys=[each.note_key for each in case.trust.log_keys])
    signers = [each for each in case.trust.log_keys if each.note_key in opened.verified]
    last = tree.size - 1
    if not any(each.counts.allows(last) for each in signers):
        raise CheckFailed(f"The log's key counts {signers[0].counts}; the checkpoint's last entry is {last}.")
    return Outcome.OK, f"The log {tree.origin} signed the checkpoint of {tree.size} entries."


def _check_witnesses(case: Case) -> Finding:
    trust = case.trust
    if case.receipt.proof is None:
        return Outcome.SKIPPED, _NO_PROOF
    if not trust.threshold:
        return Outcome.SKIPPED, "The trust file asks for no witness."
    keys = [*(each.note_key for each in trust.log_keys), *trust.witnesses]
    opened = open_note(note=case.receipt.proof.file.checkpoint, keys=keys)
    found = [key for key in opened.verified if key in trust.witnesses]
    if len(found) < trust.threshold:
        asked = f"{trust.threshold} of {len(trust.witnesses)}"
        raise CheckFailed(f"Known witnesses that cosigned: {len(found)}; the trust file asks for {asked}.")
    lines = {(line.name, line.key_hash): line for line in opened.lines}
    times = [f"{key.name} at {_moment(witnessed_at(lines[key.name, key.key_hash]))}" for key in found]
    return Outcome.OK, f"Cosigned by {', '.join(times)}."


CHECKS: tuple[tuple[str, Callable[[Case], Finding]], ...] = (
    ("artifact", _check_artifact),
    ("signature", _check_signature),
    ("key", _check_key),
    ("entry", _check_entry),
    ("inclusion", _check_inclusion),
    ("checkpoint", _check_checkpoint),
    ("witnesses", _check_witnesses),
)
STEP_NAMES = ("receipt", "trust", *(name for name, _ in CHECKS))


def _key(case: Case) -> StatementKey:
    """Return the key that the receipt's one signature names. Raises CheckFailed."""
    signatures = case.receipt.envelope.signatures
    if len(signatures) != 1:
        raise CheckFailed(f"The envelope has {len(signatures)} signatures; a receipt has one.")
    for key in case.trust.keys:
        if key.key_id == signatures[0].key_id:
            return key
    raise CheckFailed(f"The trust file names no key {signatures[0].key_id!r}.")


def _entry(written: bytes) -> tuple[dict[str, object], dict[str, object]]:
    """Return the members of a ledger entry, and those of its `data`.

    Raises Unreadable, or CheckFailed unless the entry is canonical JSON of version 1.
    """
    entry = members(read_json(written), ENTRY_MEMBERS, "The log's entry")
    if canonical_json(entry) != written:
        raise CheckFailed("The bytes of the log's entry are not in canonical form (RFC 8785).")
    data = entry["data"]
    if entry["v"] != 1 or not isinstance(data, dict):
        raise CheckFailed("The bytes are not an entry of the log as version 1 writes it.")
    return entry, data


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} seconds after 1970"


def _not_reached(name: str, why: str) -> list[Step]:
    return [Step(later, Outcome.SKIPPED, why) for later in STEP_NAMES[STEP_NAMES.index(name) + 1 :]]


def _established(case: Case, proof: Proof) -> tuple[str, ...]:
    """Return what a valid receipt shows, in plain words, and what it does not."""
    statement, key, tree = case.receipt.statement, _key(case), proof.tree
    subject, artifact = statement.about.subject, case.artifact_sha256
    about = f"{subject['type']} {subject['id']} and says it was issued at {statement.about.issued_at}"
    log = f"entry {proof.file.index} of the log {tree.origin}, among {tree.size}"
    sentences = [
        f"The statement is about {about}. It has not been changed since key {key.key_id} signed it.",
        f"It is {log}. The log cannot take it out or change it without contradicting what it signed.",
        f"The file is the one that the statement names, byte for byte: SHA-256 {artifact}."
        if artifact
        else "No file was given, so this says nothing about any file.",
        f"Witnesses that the trust file names, at least {case.trust.threshold}, saw the same log."
        if case.trust.threshold
        else "No witness was asked for: a log that shows others another history would not be noticed.",
        f"All this rests on the trust file with SHA-256 {case.trust.sha256}: compare it with the published one.",
    ]
    if key.development:
        sentences.append("Signed with a key for development: it shows how the parts fit, not who signed.")
    return tuple(sentences)
