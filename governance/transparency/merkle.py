"""The Merkle tree of the ledger: RFC 6962 section 2.1 hashing, grown by appending (RFC 9162 section 2.1.2)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

HASH_BYTES = 32
#: The tree hash of no entries (RFC 6962 section 2.1).
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || entry) (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right) (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What must be kept of a tree of `size` leaves to append to it and to compute its root.

    `nodes` are the hashes of its perfect subtrees, largest first: one for each bit set in `size`.
    """

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.nodes) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has not {len(self.nodes)} perfect subtrees")

    def extended(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """Return the frontier after appending leaves in order; n leaves cost about n hashes."""
        size, nodes = self.size, list(self.nodes)
        for leaf in leaf_hashes:
            node = leaf
            for _ in range(_trailing_ones(size)):
                node = node_hash(nodes.pop(), node)
            nodes.append(node)
            size += 1
        return Frontier(size, tuple(nodes))

    def root(self) -> bytes:
        """Return the Merkle tree hash of all leaves (RFC 9162 section 2.1.1)."""
        if not self.nodes:
            return EMPTY_ROOT
        *larger, root = self.nodes
        for node in reversed(larger):
            root = node_hash(node, root)
        return root

    def to_bytes(self) -> bytes:
        """Return the hashes one after the other; the size is kept beside them."""
        return b"".join(self.nodes)

    @classmethod
    def from_bytes(cls, *, size: int, data: bytes) -> "Frontier":
        """Read back what `to_bytes` gave. Raises ValueError when it does not fit `size`."""
        nodes = tuple(data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES))
        if len(data) % HASH_BYTES:
            raise ValueError(f"{len(data)} bytes are not a whole number of hashes")
        return cls(size, nodes)


def _trailing_ones(number: int) -> int:
    return (number ^ (number + 1)).bit_length() - 1
