"""Merkle trees by definition: slow, and written word for word after RFC 9162, to test the quick ones against."""

from collections.abc import Sequence

from governance.transparency.merkle import EMPTY_ROOT, node_hash


def _half(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes (RFC 9162 section 2.1.1)."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    half = _half(len(leaves))
    return node_hash(tree_hash(leaves[:half]), tree_hash(leaves[half:]))


def inclusion_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return PATH(index, leaves) (RFC 9162 section 2.1.3.1)."""
    if len(leaves) == 1:
        return []
    half = _half(len(leaves))
    if index < half:
        return [*inclusion_path(index, leaves[:half]), tree_hash(leaves[half:])]
    return [*inclusion_path(index - half, leaves[half:]), tree_hash(leaves[:half])]


def consistency_path(first: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return PROOF(first, leaves) (RFC 9162 section 2.1.4.1); nothing to prove from or to the same size."""
    if first in (0, len(leaves)):
        return []
    return _subproof(first, leaves, True)


def _subproof(first: int, leaves: Sequence[bytes], complete: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if complete else [tree_hash(leaves)]
    half = _half(len(leaves))
    if first <= half:
        return [*_subproof(first, leaves[:half], complete), tree_hash(leaves[half:])]
    return [*_subproof(first - half, leaves[half:], False), tree_hash(leaves[:half])]
