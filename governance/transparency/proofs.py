"""Merkle proofs of the ledger: how they are verified (RFC 9162 section 2.1), and the file that carries one.

Nothing in this module knows Django or the network: the offline verifier runs on it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from governance.kernel import strict_base64
from governance.kernel.errors import InvalidInput
from governance.transparency.merkle import EMPTY_ROOT, HASH_BYTES, node_hash

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
#: A tree of 2^63 leaves, more than a log can ever have, has paths of 63 hashes.
MAX_HASHES = 64
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


class ProofInvalid(InvalidInput):
    """A proof does not show what it claims, or is none at all."""

    code = "proof_invalid"


def verify_inclusion(*, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Accept that the leaf hash `leaf` stands at `index` in the tree of `size` leaves with `root`.

    `proof` holds the hashes from the leaf's sibling up to the root's child. Raises ProofInvalid
    (RFC 9162 section 2.1.3.2).
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"A tree of {size} entries has none with the number {index}.")
    _require_hashes(leaf, root, *proof)
    node, last, hashed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("The inclusion proof has more hashes than the tree has levels.")
        if node & 1 or node == last:
            hashed = node_hash(sibling, hashed)
            shift = _zeros_below(node)
            node, last = node >> shift, last >> shift
        else:
            hashed = node_hash(hashed, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofInvalid("The inclusion proof ends before the root of the tree.")
    if hashed != root:
        raise ProofInvalid(f"The inclusion proof of entry {index} leads to another root than that of the tree.")


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Accept that the tree of `second` leaves begins with exactly the tree of `first` leaves.

    Raises ProofInvalid (RFC 9162 section 2.1.4.2). Two trees of one size are consistent when their roots are equal,
    and every tree goes on from the empty one; both need no hashes.
    """
    if not 0 <= first <= second:
        raise ProofInvalid(f"A tree of {second} entries cannot go on from one of {first}.")
    _require_hashes(first_root, second_root, *proof)
    if first in (0, second):
        _verify_trivial(first=first, second=second, first_root=first_root, second_root=second_root, proof=proof)
        return
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not proof:
        raise ProofInvalid("The consistency proof has no hashes.")
    shift = _zeros_below(first)
    node, last = (first - 1) >> shift, (second - 1) >> shift
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofInvalid("The consistency proof has more hashes than the tree has levels.")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            shift = _zeros_below(node)
            node, last = node >> shift, last >> shift
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofInvalid("The consistency proof ends before the root of the tree.")
    if old != first_root:
        raise ProofInvalid(f"The consistency proof leads to another root for {first} entries.")
    if new != second_root:
        raise ProofInvalid(f"The consistency proof leads to another root for {second} entries.")


@dataclass(frozen=True, slots=True)
class ProofFile:
    """That an entry is in a log: its index, the hashes from its sibling up, and the checkpoint as signed note.

    `extra` is not authenticated by anything and never to be trusted (c2sp.org/tlog-proof).
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None


def format_proof_file(proof: ProofFile) -> str:
    """Return the text of a proof file (c2sp.org/tlog-proof@v1)."""
    extra = [] if proof.extra is None else [f"extra {strict_base64.encode(proof.extra)}"]
    hashes = [strict_base64.encode(each) for each in proof.hashes]
    return "\n".join([PROOF_HEADER, *extra, f"index {proof.index}", *hashes, "", proof.checkpoint])


def parse_proof_file(text: str) -> ProofFile:
    """Read a proof file; the checkpoint in it is not looked at. Raises ProofInvalid.

    Only the one form that `format_proof_file` writes is taken, so that one proof has one text.
    """
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines.pop(0) != PROOF_HEADER:
        raise ProofInvalid(f"This is not a proof file: it does not begin with '{PROOF_HEADER}'.")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = _decoded(lines.pop(0).removeprefix("extra "))
    found = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if found is None:
        raise ProofInvalid("The proof file has no line 'index' with the entry's number.")
    if len(lines) > MAX_HASHES:
        raise ProofInvalid(f"The proof file has {len(lines)} hashes; no proof needs more than {MAX_HASHES}.")
    hashes = tuple(_decoded(line) for line in lines)
    _require_hashes(*hashes)
    return ProofFile(index=int(found[1]), hashes=hashes, checkpoint=checkpoint, extra=extra)


def _verify_trivial(*, first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise ProofInvalid(f"From {first} to {second} entries there is nothing to prove, yet the proof has hashes.")
    if first_root != (second_root if first == second else EMPTY_ROOT):
        raise ProofInvalid(f"Two trees of {first} entries have different roots.")
    if second == 0 and second_root != EMPTY_ROOT:
        raise ProofInvalid("The root of an empty tree is another.")


def _zeros_below(number: int) -> int:
    """Return how often `number` can be halved before it is odd; 0 for 0."""
    return (number & -number).bit_length() - 1 if number else 0


def _require_hashes(*hashes: bytes) -> None:
    for each in hashes:
        if len(each) != HASH_BYTES:
            raise ProofInvalid(f"A hash has {HASH_BYTES} bytes, not {len(each)}.")


def _decoded(text: str) -> bytes:
    try:
        return strict_base64.decode(text)
    except ValueError as error:
        raise ProofInvalid(f"A line of the proof file cannot be read: {error}.") from error
