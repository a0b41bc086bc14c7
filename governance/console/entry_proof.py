"""The proof of one ledger entry, recomputed from stored data whenever its page is opened, and checked step by step.

No earlier result is used: the leaf is hashed from the entry's bytes, the path is computed from the stored tiles, and
the checkpoint's signatures are verified with the keys that the log announces.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings

from governance.audit.log.key_history import key_ranges
from governance.audit.log.log_reader import inclusion_proof
from governance.audit.log.trust import log_vkey
from governance.audit.models import Checkpoint, LedgerEntry
from governance.audit.recording.entries import differing_columns
from governance.kernel.errors import GovernanceError
from governance.keys.ring import KeyPurpose
from governance.transparency.merkle import leaf_hash, node_hash
from governance.transparency.notes import (
    NoteInvalid,
    NoteKey,
    open_note,
    parse_checkpoint,
    parse_vkey,
    split_note,
    verify_cosignature,
)
from governance.transparency.proofs import ProofInvalid, verify_inclusion


@dataclass(frozen=True, slots=True)
class ProofStep:
    """One step: its description, its tone (good, bad, busy, quiet), and the resulting hash."""

    title: str
    tone: str
    detail: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class PathNode:
    """One hash of the path: the sibling from the proof, its side, and the hash of both."""

    height: int
    sibling: str
    on_left: bool
    result: str


@dataclass(frozen=True, slots=True)
class EntryProof:
    """All steps in order, the way from leaf to root, and the checkpoint that it was checked against, if any."""

    steps: tuple[ProofStep, ...]
    path: tuple[PathNode, ...] = ()
    checkpoint: Checkpoint | None = None

    @property
    def tone(self) -> str:
        """The colour of the badge."""
        tones = {step.tone for step in self.steps}
        return "bad" if "bad" in tones else "busy" if "busy" in tones else "good"


def prove_entry(entry: LedgerEntry, checkpoint: Checkpoint | None, *, quorum: int) -> EntryProof:
    """Return the proof of an entry against a checkpoint, step by step. Never raises: a failure becomes a step.

    `checkpoint` is the newest published one, None while there is none; `quorum` is how many cosignatures it needs.
    """
    body = bytes(entry.body)
    leaf = leaf_hash(body)
    steps = [_columns_step(entry, body), _leaf_step(entry, leaf)]
    if checkpoint is None or checkpoint.size <= entry.index:
        return EntryProof(steps=(*steps, _waiting_step(checkpoint)), checkpoint=checkpoint)
    try:
        proof = inclusion_proof(index=entry.index, size=checkpoint.size)
    except GovernanceError as error:
        failed = ProofStep("Path through the stored tiles", "bad", f"It cannot be computed: {error.message}")
        return EntryProof((*steps, failed), checkpoint=checkpoint)
    path = tuple(_path(entry.index, checkpoint.size, leaf, proof))
    steps.append(_inclusion_step(entry, checkpoint, leaf, proof))
    steps.append(signature_step(checkpoint))
    steps.append(quorum_step(checkpoint, quorum))
    return EntryProof(tuple(steps), path, checkpoint)


def signature_step(checkpoint: Checkpoint) -> ProofStep:
    """Check that a checkpoint's note is signed by a key of this log that is valid there, and matches the row."""
    title = "Signature of the log"
    try:
        opened = open_note(note=checkpoint.note, keys=log_keys(checkpoint))
        body = parse_checkpoint(opened.text)
    except GovernanceError as error:
        return ProofStep(title, "bad", error.message)
    if (body.origin, body.size, body.root) != (checkpoint.origin, checkpoint.size, bytes(checkpoint.root_hash)):
        return ProofStep(title, "bad", "The signed note does not match the row: origin, size or root hash differ.")
    return ProofStep(title, "good", f"Ed25519 over origin, size and root hash, by key {checkpoint.key_id}.")


def quorum_step(checkpoint: Checkpoint, quorum: int) -> ProofStep:
    """Check the cosignatures of the witnesses that the settings name, and whether there are enough."""
    title, keys = "Witnesses", {each["name"]: each["vkey"] for each in settings.ASSENT_WITNESSES}
    if not keys:
        return ProofStep(title, "quiet", "This installation has none.")
    given = [each for each in checkpoint.cosignatures.all() if each.witness in keys]
    try:
        text, _ = split_note(checkpoint.note)
        for each in given:
            verify_cosignature(text=text, line=each.line, key=parse_vkey(keys[each.witness]))
    except NoteInvalid as error:
        return ProofStep(title, "bad", f"A cosignature is not valid: {error.message}")
    names = sorted(each.witness for each in given)
    by = f": {', '.join(names)}" if names else ""
    return ProofStep(title, "good" if len(names) >= quorum else "busy", f"{len(names)} cosigned, {quorum} needed{by}.")


def log_keys(checkpoint: Checkpoint) -> list[NoteKey]:
    """Return the keys of this log that are valid at a checkpoint, which has the index of its last entry."""
    ranges = [each for each in key_ranges() if each.purpose is KeyPurpose.CHECKPOINT]
    return [
        parse_vkey(log_vkey(each.public_pem, origin=checkpoint.origin))
        for each in ranges
        if each.allows(checkpoint.size - 1)
    ]


def _columns_step(entry: LedgerEntry, body: bytes) -> ProofStep:
    title, differing = "Stored bytes", differing_columns(entry, body)
    if differing:
        return ProofStep(title, "bad", f"The columns differ from the bytes: {', '.join(differing)}.")
    return ProofStep(title, "good", f"{len(body)} bytes of canonical JSON; every column matches.")


def _leaf_step(entry: LedgerEntry, leaf: bytes) -> ProofStep:
    title = "Leaf hash"
    if leaf != bytes(entry.leaf_hash):
        stored = bytes(entry.leaf_hash).hex()
        return ProofStep(title, "bad", f"SHA-256(0x00 ‖ bytes) is not what was stored, {stored}.", leaf.hex())
    return ProofStep(title, "good", "SHA-256(0x00 ‖ bytes), as stored when the entry was ordered.", leaf.hex())


def _waiting_step(checkpoint: Checkpoint | None) -> ProofStep:
    reaches = "No checkpoint is published yet" if checkpoint is None else f"The newest covers {checkpoint.size} entries"
    return ProofStep("Checkpoint", "busy", f"{reaches}; the next one covers this entry too.")


def _inclusion_step(entry: LedgerEntry, checkpoint: Checkpoint, leaf: bytes, proof: Sequence[bytes]) -> ProofStep:
    title, root = "Path to the root", bytes(checkpoint.root_hash)
    try:
        verify_inclusion(index=entry.index, size=checkpoint.size, leaf=leaf, proof=proof, root=root)
    except ProofInvalid as error:
        return ProofStep(title, "bad", f"{error.message} The checkpoint has the root {root.hex()}.")
    count = f"{len(proof)} hashes" if len(proof) != 1 else "1 hash"
    said = f"{count} from the stored tiles lead from the leaf to the root that the checkpoint signs."
    return ProofStep(title, "good", said, root.hex())


def _path(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> Iterator[PathNode]:
    """Yield every hashing of RFC 9162 section 2.1.3.2, as `verify_inclusion` does them."""
    node, last, hashed, height = index, size - 1, leaf, 0
    for sibling in proof:
        while node % 2 == 0 and node == last and last:
            node, last, height = node >> 1, last >> 1, height + 1
        on_left = node % 2 == 1
        hashed = node_hash(sibling, hashed) if on_left else node_hash(hashed, sibling)
        node, last, height = node >> 1, last >> 1, height + 1
        yield PathNode(height, sibling.hex(), on_left, hashed.hex())
