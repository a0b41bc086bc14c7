import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.transparency.merkle import EMPTY_ROOT, leaf_hash
from governance.transparency.proofs import (
    ProofFile,
    ProofInvalid,
    format_proof_file,
    parse_proof_file,
    verify_consistency,
    verify_inclusion,
)
from tests.factories.merkle import consistency_path, inclusion_path, tree_hash

LEAVES = [leaf_hash(str(number).encode()) for number in range(300)]
SIZES = st.integers(1, 300)
CHECKPOINT = "example.com/log\n3\ng+Pl=\n\n— example.com/log AAAA\n"


def include(index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> None:
    verify_inclusion(index=index, size=size, leaf=leaf, proof=proof, root=root)


def consist(first: int, second: int, first_root: bytes, second_root: bytes, proof: list[bytes]) -> None:
    verify_consistency(first=first, second=second, first_root=first_root, second_root=second_root, proof=proof)


# Reference vectors of RFC 6962 logs (certificate-transparency, merkle_tree_test): the tree of eight known entries.
REFERENCE = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
REFERENCE_ROOT_8 = bytes.fromhex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
REFERENCE_ROOT_6 = bytes.fromhex("76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef")
PATH_5_OF_8 = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
PATH_6_TO_8 = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]


def test_inclusion_of_the_reference_tests() -> None:
    include(5, 8, REFERENCE[5], [bytes.fromhex(each) for each in (PATH_5_OF_8)], REFERENCE_ROOT_8)


def test_consistency_of_the_reference_tests() -> None:
    consist(6, 8, REFERENCE_ROOT_6, REFERENCE_ROOT_8, [bytes.fromhex(each) for each in PATH_6_TO_8])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33])
def test_every_entry_of_a_tree_is_proven(size: int) -> None:
    root = tree_hash(LEAVES[:size])

    for index in range(size):
        include(index, size, LEAVES[index], inclusion_path(index, LEAVES[:size]), root)


@pytest.mark.parametrize("second", [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33])
def test_every_growth_is_proven(second: int) -> None:
    for first in range(second + 1):
        path = consistency_path(first, LEAVES[:second])
        consist(first, second, tree_hash(LEAVES[:first]), tree_hash(LEAVES[:second]), path)


@given(st.integers(2, 300), st.data())
def test_a_proof_of_one_place_proves_no_other(size: int, data: st.DataObject) -> None:
    """Of the same tree, that is: which size a root belongs to is what the checkpoint says, not the proof."""
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index))
    path, root = inclusion_path(index, LEAVES[:size]), tree_hash(LEAVES[:size])

    include(index, size, LEAVES[index], path, root)
    with pytest.raises(ProofInvalid):
        include(other, size, LEAVES[index], path, root)
    with pytest.raises(ProofInvalid):
        include(index, size, LEAVES[other], path, root)


@given(SIZES, st.data())
def test_a_changed_bit_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    parts = [LEAVES[index], tree_hash(LEAVES[:size]), *inclusion_path(index, LEAVES[:size])]
    at = data.draw(st.integers(0, len(parts) - 1))
    parts[at] = _flipped(parts[at], data.draw(st.integers(0, 255)))
    leaf, root, *path = parts

    with pytest.raises(ProofInvalid, match="another root"):
        include(index, size, leaf, path, root)


@given(st.integers(2, 300), st.data())
def test_a_changed_bit_of_a_consistency_proof_is_refused(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second - 1))
    roots = [tree_hash(LEAVES[:first]), tree_hash(LEAVES[:second])]
    parts = [*roots, *consistency_path(first, LEAVES[:second])]
    at = data.draw(st.integers(0, len(parts) - 1))
    parts[at] = _flipped(parts[at], data.draw(st.integers(0, 255)))
    first_root, second_root, *path = parts

    with pytest.raises(ProofInvalid, match="another root"):
        consist(first, second, first_root, second_root, path)


@given(st.integers(2, 300), st.data())
def test_a_consistency_proof_of_other_length_is_refused(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second - 1))
    roots = (tree_hash(LEAVES[:first]), tree_hash(LEAVES[:second]))
    path = consistency_path(first, LEAVES[:second])

    with pytest.raises(ProofInvalid):
        consist(first, second, *roots, [*path, bytes(32)])
    with pytest.raises(ProofInvalid):
        consist(first, second, *roots, path[:-1])


def _flipped(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ (1 << bit)).to_bytes(len(data), "big")


@pytest.mark.parametrize(
    ("index", "size", "proof", "says"),
    [
        (3, 3, [], "has none with the number 3"),
        (-1, 3, [], "has none with the number -1"),
        (0, 0, [], "has none with the number 0"),
        (0, 1, [bytes(32)], "more hashes than"),
        (0, 3, [bytes(32)], "ends before"),
        (0, 2, [bytes(31)], "32 bytes, not 31"),
        (0, 2, [bytes(32)], "another root"),
    ],
)
def test_inclusion_is_refused_with_the_reason(index: int, size: int, proof: list[bytes], says: str) -> None:
    with pytest.raises(ProofInvalid, match=re.escape(says)) as refused:
        include(index, size, LEAVES[0], proof, tree_hash(LEAVES[:1]))

    assert refused.value.error_code == "proof_invalid"


@pytest.mark.parametrize(
    ("first", "second", "roots", "proof", "says"),
    [
        (2, 1, (LEAVES[0], LEAVES[0]), [], "cannot go on"),
        (-1, 1, (LEAVES[0], LEAVES[0]), [], "cannot go on"),
        (1, 1, (LEAVES[0], LEAVES[1]), [], "different roots"),
        (1, 1, (LEAVES[0], LEAVES[0]), [bytes(32)], "nothing to prove"),
        (0, 1, (LEAVES[0], LEAVES[0]), [], "different roots"),
        (0, 0, (LEAVES[0], LEAVES[0]), [], "root of an empty tree"),
        (0, 1, (EMPTY_ROOT, LEAVES[0]), [bytes(32)], "nothing to prove"),
        (1, 2, (LEAVES[0], LEAVES[0]), [], "has no hashes"),
        (1, 2, (LEAVES[0], LEAVES[0]), [bytes(31)], "32 bytes, not 31"),
        (1, 2, (LEAVES[0], LEAVES[0]), [bytes(32)] * 2, "more hashes than"),
        (1, 3, (LEAVES[0], LEAVES[0]), [bytes(32)], "ends before"),
        (3, 4, (LEAVES[0], tree_hash(LEAVES[:4])), consistency_path(3, LEAVES[:4]), "another root for 3"),
        (3, 4, (tree_hash(LEAVES[:3]), LEAVES[0]), consistency_path(3, LEAVES[:4]), "another root for 4"),
    ],
)
def test_consistency_is_refused_with_the_reason(
    first: int, second: int, roots: tuple[bytes, bytes], proof: list[bytes], says: str
) -> None:
    with pytest.raises(ProofInvalid, match=re.escape(says)):
        consist(first, second, *roots, proof)


def test_proof_file_looks_as_the_format_says() -> None:
    text = format_proof_file(ProofFile(index=7, hashes=(bytes(32),), checkpoint=CHECKPOINT, extra=b"hi"))

    assert text == (
        "c2sp.org/tlog-proof@v1\nextra aGk=\nindex 7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" + CHECKPOINT
    )


@given(
    st.builds(
        ProofFile,
        index=st.integers(0, 2**62),
        hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=64).map(tuple),
        checkpoint=st.text(),
        extra=st.none() | st.binary(),
    )
)
def test_proof_file_is_read_back(proof: ProofFile) -> None:
    assert parse_proof_file(format_proof_file(proof)) == proof


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a proof file"),
        ("c2sp.org/tlog-proof@v1\nindex 0\n", "not a proof file"),
        ("c2sp.org/tlog-proof@v2\nindex 0\n\n", "not a proof file"),
        ("c2sp.org/tlog-proof@v1\n\n", "no line 'index'"),
        ("c2sp.org/tlog-proof@v1\nextra aGk=\n\n", "no line 'index'"),
        ("c2sp.org/tlog-proof@v1\nindex 00\n\n", "no line 'index'"),
        ("c2sp.org/tlog-proof@v1\nindex -1\n\n", "no line 'index'"),
        ("c2sp.org/tlog-proof@v1\nindex 0\nextra aGk=\n\n", "cannot be read"),
        ("c2sp.org/tlog-proof@v1\nextra ?\nindex 0\n\n", "cannot be read"),
        ("c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n", "32 bytes, not 3"),
        ("c2sp.org/tlog-proof@v1\nindex 0\n" + "AAAA\n" * 65 + "\n", "65 hashes"),
    ],
)
def test_anything_but_a_proof_file_is_refused(text: str, says: str) -> None:
    with pytest.raises(ProofInvalid, match=re.escape(says)):
        parse_proof_file(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(ProofInvalid):
        parse_proof_file(text)
