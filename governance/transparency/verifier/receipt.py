"""Reads the receipt file, `assent-receipt/1`; nothing is verified here."""

from collections.abc import Mapping
from dataclasses import dataclass

from governance.kernel import strict_base64
from governance.kernel.canonical import canonical_json, sha256_hex
from governance.kernel.errors import GovernanceError
from governance.keys.dsse import Envelope
from governance.transparency.notes import CheckpointBody, parse_checkpoint, split_note
from governance.transparency.proofs import ProofFile, parse_proof_file
from governance.transparency.verifier.reading import Unreadable, items, members, read_json, text

FORMAT = "assent-receipt/1"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
#: The member of the predicate in which a statement says what it is itself; one of the two.
SELF_MEMBERS = ("receipt", "evidence")


@dataclass(frozen=True, slots=True)
class About:
    """What a statement says of itself. `subject` has the members `type` and `id`; None where a member is missing."""

    id: str
    issued_at: str
    subject: Mapping[str, str]
    included_by: object
    kind: object
    entry_id: object


@dataclass(frozen=True, slots=True)
class Statement:
    """The in-toto Statement v1 that was signed: its subjects (name and SHA-256), its type, and what it says of itself.

    `evidence` is true where it does so in the member `evidence`, signed before its entry had an id, and false for
    `receipt`.
    """

    subjects: tuple[tuple[str, str], ...]
    predicate_type: str
    evidence: bool
    about: About


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof file, and what the checkpoint in it says."""

    file: ProofFile
    tree: CheckpointBody


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A receipt: the envelope with its statement, the bytes of the ledger entry, and the proof once there is one.

    `envelope_sha256` is the digest of the envelope's canonical JSON (RFC 8785).
    """

    envelope: Envelope
    envelope_sha256: str
    statement: Statement
    entry: bytes
    included_by: str | None
    proof: Proof | None


def read_receipt(data: bytes) -> ReceiptFile:
    """Read a receipt file. Raises Unreadable, which says what is wrong."""
    document = members(read_json(data), ("format", "envelope", "entry", "included_by", "proof"), "The receipt")
    if document["format"] != FORMAT:
        raise Unreadable(f"Its format is {document['format']!r}; this verifier reads {FORMAT!r}.")
    try:
        canonical = canonical_json(document["envelope"])
        envelope = Envelope.from_json(canonical)
        entry = strict_base64.decode(text(document["entry"], "The entry"))
        proof = None if document["proof"] is None else _proof(text(document["proof"], "The proof"))
    except (GovernanceError, ValueError) as error:
        raise Unreadable(f"A part of it cannot be read: {error}") from error
    promise = document["included_by"]
    return ReceiptFile(
        envelope=envelope,
        envelope_sha256=sha256_hex(canonical),
        statement=_statement(envelope.payload),
        entry=entry,
        included_by=None if promise is None else text(promise, "included_by"),
        proof=proof,
    )


def _proof(written: str) -> Proof:
    file = parse_proof_file(written)
    return Proof(file=file, tree=parse_checkpoint(split_note(file.checkpoint)[0]))


def _statement(payload: bytes) -> Statement:
    names = ("_type", "subject", "predicateType", "predicate")
    document = members(read_json(payload), names, "The statement in the envelope")
    if document["_type"] != STATEMENT_TYPE:
        raise Unreadable(f"The envelope holds {document['_type']!r}, not an in-toto statement.")
    member, about = _about(document["predicate"])
    return Statement(
        subjects=tuple(_subject(each) for each in items(document["subject"], "The statement's subject")),
        predicate_type=text(document["predicateType"], "The predicate type"),
        evidence=member == "evidence",
        about=about,
    )


def _about(predicate: object) -> tuple[str, About]:
    """Return the member in which a statement describes itself, and the description."""
    present = predicate if isinstance(predicate, dict) else {}
    found = [name for name in SELF_MEMBERS if isinstance(present.get(name), dict)]
    if len(found) != 1:
        raise Unreadable("The statement does not say what it is itself: a member 'receipt' or 'evidence'.")
    about: dict[str, object] = present[found[0]]
    subject = members(about.get("subject"), ("type", "id"), "The statement's own subject")
    return found[0], About(
        id=text(about.get("id"), "The statement's own id"),
        issued_at=text(about.get("issued_at"), "The statement's own issued_at"),
        subject={name: text(value, f"The {name} of the statement's own subject") for name, value in subject.items()},
        included_by=about.get("included_by"),
        kind=about.get("kind"),
        entry_id=about.get("entry_id"),
    )


def _subject(value: object) -> tuple[str, str]:
    resource = members(value, ("name", "digest"), "A subject of the statement")
    digests = members(resource["digest"], ("sha256",), "The digest of a subject")
    return text(resource["name"], "The name of a subject"), text(digests["sha256"], "The digest of a subject")
