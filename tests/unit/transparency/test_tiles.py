import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.transparency.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash
from governance.transparency.proofs import verify_consistency, verify_inclusion
from governance.transparency.tiles import (
    ENTRIES,
    Node,
    Subtree,
    TileRef,
    consistency_path,
    cover,
    fold,
    inclusion_path,
    join,
    parse_tile_path,
    split_hashes,
    tile_path,
)

LEAVES = [leaf_hash(str(number).encode()) for number in range(700)]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 9162 section 2.1.1 writes it down."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    middle = naive_split(len(leaves))
    return node_hash(naive_root(leaves[:middle]), naive_root(leaves[middle:]))


def naive_split(size: int) -> int:
    return max(1 << power for power in range(size.bit_length()) if 1 << power < size)


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH as RFC 9162 section 2.1.3.1 writes it down."""
    if len(leaves) == 1:
        return []
    middle = naive_split(len(leaves))
    if index < middle:
        return [*naive_path(index, leaves[:middle]), naive_root(leaves[middle:])]
    return [*naive_path(index - middle, leaves[middle:]), naive_root(leaves[:middle])]


def naive_subproof(first: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF as RFC 9162 section 2.1.4.1 writes it down."""
    if first == len(leaves):
        return [] if whole else [naive_root(leaves)]
    middle = naive_split(len(leaves))
    if first <= middle:
        return [*naive_subproof(first, leaves[:middle], whole), naive_root(leaves[middle:])]
    return [*naive_subproof(first - middle, leaves[middle:], False), naive_root(leaves[:middle])]


def resolved(path: list[Node]) -> list[bytes]:
    """Compute the nodes of a path from the leaves themselves."""
    return [join([fold(leaves_of(part)) for part in node]) for node in path]


def leaves_of(part: Subtree) -> list[bytes]:
    return LEAVES[part.number << part.height : (part.number + 1) << part.height]


sizes = st.integers(1, len(LEAVES))


@given(size=sizes, data=st.data())
def test_inclusion_paths_are_those_of_the_rfc(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = resolved(inclusion_path(index, size))

    assert proof == naive_path(index, LEAVES[:size])
    verify_inclusion(index=index, size=size, leaf=LEAVES[index], proof=proof, root=naive_root(LEAVES[:size]))


@given(second=sizes, data=st.data())
def test_consistency_paths_are_those_of_the_rfc(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    proof = resolved(consistency_path(first, second))

    assert proof == naive_subproof(first, LEAVES[:second], True)
    verify_consistency(
        first=first,
        second=second,
        first_root=naive_root(LEAVES[:first]),
        second_root=naive_root(LEAVES[:second]),
        proof=proof,
    )


@given(size=sizes)
def test_a_root_is_joined_from_perfect_subtrees(size: int) -> None:
    assert resolved([cover(0, size)]) == [naive_root(LEAVES[:size])] == [Frontier().extended(LEAVES[:size]).root()]


def test_nothing_covers_the_empty_tree() -> None:
    assert cover(0, 0) == ()
    assert naive_root([]) == EMPTY_ROOT


@given(height=st.integers(0, 62), data=st.data())
def test_every_subtree_lies_in_one_tile(height: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, (2**63 >> height) - 1))
    ref, offset = Subtree(height, number).place()

    unit = 256**ref.level
    assert (ref.number * 256 + offset) * unit == number << height
    assert (ref.number * 256 + ref.width) * unit == (number + 1) << height == ref.end()
    assert 0 <= offset < ref.width <= 256


@pytest.mark.parametrize(
    ("ref", "path"),
    [
        (TileRef(0, 0), "0/000"),
        (TileRef(0, 273, 112), "0/273.p/112"),
        (TileRef(1, 1234067), "1/x001/x234/067"),
        (TileRef(63, 1000, 1), "63/x001/000.p/1"),
        (TileRef(ENTRIES, 7), "entries/007"),
        (TileRef(ENTRIES, 7, 255), "entries/007.p/255"),
    ],
)
def test_paths_are_written_and_read(ref: TileRef, path: str) -> None:
    assert tile_path(ref.level, ref.number, ref.width) == path
    assert parse_tile_path(path) == ref
    assert ref.full == (ref.width == 256)


@given(level=st.integers(ENTRIES, 63), number=st.integers(0, 2**63 - 1), width=st.integers(1, 256))
def test_what_is_written_is_read_back(level: int, number: int, width: int) -> None:
    assert parse_tile_path(tile_path(level, number, width)) == TileRef(level, number, width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "0/",
        "0/00",
        "0/0000",
        "0/x000/000",
        "0/001/002",
        "0/x001/x002",
        "00/000",
        "64/000",
        "-1/000",
        "0/000.p/0",
        "0/000.p/01",
        "0/000.p/256",
        "0/000.p/",
        "0/000/",
        "0/000\n",
        "entries/x1/000",
        "entry/000",
        "0/\u0660\u0660\u0660",
        "0/" + "x001/" * 7 + "000",
    ],
)
def test_other_paths_are_none(path: str) -> None:
    assert parse_tile_path(path) is None


@given(size=st.integers(0, 300))
def test_hashes_are_split_as_they_were_joined(size: int) -> None:
    assert split_hashes(b"".join(LEAVES[:size])) == LEAVES[:size]


def test_half_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="whole"):
        split_hashes(bytes(33))
