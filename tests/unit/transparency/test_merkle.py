import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.transparency.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash

# The reference tests of RFC 6962 logs (certificate-transparency, merkle_tree_test): eight leaves and the eight roots.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(str(number).encode()) for number in range(300)]


def naive_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 section 2.1, word for word: split at the largest power of two below n."""
    return NAIVE[min(len(leaves), 2)](leaves)


def _split(leaves: list[bytes]) -> bytes:
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(naive_root(leaves[:half]), naive_root(leaves[half:]))


NAIVE = [lambda leaves: hashlib.sha256(b"").digest(), lambda leaves: leaves[0], _split]


def test_empty_tree() -> None:
    assert Frontier().root() == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_of_the_reference_tests(size: int) -> None:
    frontier = Frontier().extended(leaf_hash(entry) for entry in ENTRIES[:size])

    assert frontier.root().hex() == ROOTS[size - 1]


@pytest.mark.parametrize("size", [*range(70), 127, 128, 129, 255, 256, 257])
def test_root_is_that_of_the_definition(size: int) -> None:
    assert Frontier().extended(LEAVES[:size]).root() == naive_root(LEAVES[:size])


@given(st.lists(st.binary(max_size=8), max_size=80), st.data())
def test_appending_in_any_portions_gives_the_same_tree(entries: list[bytes], data: st.DataObject) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    cut = data.draw(st.integers(0, len(leaves)))

    in_two = Frontier().extended(leaves[:cut]).extended(leaves[cut:])

    assert in_two == Frontier().extended(leaves)
    assert in_two.root() == naive_root(leaves)


@given(st.integers(0, 300))
def test_frontier_survives_storage(size: int) -> None:
    frontier = Frontier().extended(LEAVES[:size])

    assert Frontier.from_bytes(size=size, data=frontier.to_bytes()) == frontier
    assert len(frontier.to_bytes()) == 32 * size.bit_count()


@pytest.mark.parametrize(("size", "data"), [(1, b""), (2, bytes(64)), (1, bytes(31)), (-1, bytes(32)), (0, bytes(32))])
def test_frontier_that_does_not_fit_its_size_is_refused(size: int, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"leaves|hashes"):
        Frontier.from_bytes(size=size, data=data)


def test_a_leaf_is_never_a_node() -> None:
    left, right = LEAVES[:2]

    assert leaf_hash(left + right) != node_hash(left, right)
