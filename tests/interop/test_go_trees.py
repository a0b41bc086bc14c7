"""Go's sumdb/tlog and we see the same tree: roots and proofs, made by either, are accepted by the other."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.transparency.merkle import Frontier, leaf_hash
from governance.transparency.proofs import ProofInvalid, verify_consistency, verify_inclusion
from tests.effort import examples
from tests.factories.merkle import consistency_path, inclusion_path, tree_hash
from tests.interop.go_checker import GoChecker

MOST = 70
FEW = settings(
    max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def entries(count: int) -> list[bytes]:
    return [b"" if index == 0 else f"entry {index} é".encode() for index in range(count)]


def root(leaves: Sequence[bytes]) -> bytes:
    return Frontier().extended(leaves).root()


def inclusion(leaves: Sequence[bytes], index: int, **changes: Any) -> dict[str, Any]:
    size = len(leaves)
    proof = inclusion_path(index, leaves)
    claim = {"kind": "inclusion", "number": index, "hash": leaves[index], "size": size, "root": root(leaves)}
    return {**claim, "proof": proof, **changes}


def consistency(leaves: Sequence[bytes], first: int, **changes: Any) -> dict[str, Any]:
    claim = {"kind": "consistency", "number": first, "hash": root(leaves[:first]), "size": len(leaves)}
    return {**claim, "root": root(leaves), "proof": consistency_path(first, leaves), **changes}


def test_leaves_and_roots_are_the_same(go: GoChecker) -> None:
    sizes = range(1, MOST + 1)
    found = go.tree(entries(MOST), sizes=sizes)
    leaves = [leaf_hash(entry) for entry in entries(MOST)]
    assert found["leaves"] == leaves
    assert found["roots"] == [root(leaves[:size]) for size in sizes]


def test_go_accepts_every_inclusion_proof_of_ours(go: GoChecker) -> None:
    leaves = [leaf_hash(entry) for entry in entries(MOST)]
    proofs = [inclusion(leaves[:size], index) for size in (1, 2, 3, 7, 8, 33, MOST) for index in range(size)]
    assert go.check_proofs(*proofs) == [""] * len(proofs)


def test_go_accepts_every_consistency_proof_of_ours(go: GoChecker) -> None:
    leaves = [leaf_hash(entry) for entry in entries(MOST)]
    proofs = [consistency(leaves[:size], first) for size in (1, 2, 3, 7, 8, 33, MOST) for first in range(1, size + 1)]
    assert go.check_proofs(*proofs) == [""] * len(proofs)


def test_we_accept_every_proof_of_go(go: GoChecker) -> None:
    places = [(index, size) for size in (1, 2, 5, 8, 13, MOST) for index in range(size)]
    pairs = [(first, size) for size in (1, 2, 5, 8, 13, MOST) for first in range(1, size + 1)]
    found = go.tree(entries(MOST), sizes=range(1, MOST + 1), inclusion=places, consistency=pairs)
    roots = dict(zip(range(1, MOST + 1), found["roots"], strict=True))
    for (index, size), proof in zip(places, found["inclusion"], strict=True):
        leaf = found["leaves"][index]
        verify_inclusion(index=index, size=size, leaf=leaf, proof=proof, root=roots[size])
    for (first, size), proof in zip(pairs, found["consistency"], strict=True):
        verify_consistency(first=first, second=size, first_root=roots[first], second_root=roots[size], proof=proof)


def ours_says(claim: dict[str, Any]) -> bool:
    """Return whether our verification accepts the claim."""
    common = {"proof": claim["proof"]}
    try:
        if claim["kind"] == "inclusion":
            verify_inclusion(
                index=claim["number"], size=claim["size"], leaf=claim["hash"], root=claim["root"], **common
            )
        else:
            verify_consistency(
                first=claim["number"],
                second=claim["size"],
                first_root=claim["hash"],
                second_root=claim["root"],
                **common,
            )
    except ProofInvalid:
        return False
    return True


@st.composite
def claims(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a claim that may be true, or wrong in any one way."""
    leaves = [leaf_hash(entry) for entry in entries(draw(st.integers(1, 20)))]
    make, least = draw(st.sampled_from([(inclusion, 0), (consistency, 1)]))
    claim = make(leaves, draw(st.integers(least, len(leaves) - 1 + least)))
    proof = claim["proof"]
    wrong = draw(
        st.sampled_from(
            [
                {},
                {"number": claim["number"] + 1},
                {"size": claim["size"] + 1},
                {"size": claim["size"] * 2},
                {"hash": claim["root"]},
                {"root": claim["hash"]},
                {"root": tree_hash(leaves[:-1])},
                {"proof": proof[:-1]},
                {"proof": proof[1:]},
                {"proof": proof[::-1]},
                {"proof": [*proof, claim["root"]]},
                {"proof": [claim["hash"], *proof]},
            ]
        )
    )
    return {**claim, **wrong}


@FEW
@given(drawn=st.lists(claims(), min_size=20, max_size=60))
def test_we_and_go_agree_on_whatever_is_claimed(go: GoChecker, drawn: list[dict[str, Any]]) -> None:
    answers = [not said for said in go.check_proofs(*drawn)]
    assert answers == [ours_says(claim) for claim in drawn]


def test_go_refuses_a_hash_that_was_flipped(go: GoChecker) -> None:
    leaves = [leaf_hash(entry) for entry in entries(33)]
    claim = inclusion(leaves, 20)
    flipped = [
        {**claim, "proof": [*claim["proof"][:level], bytes(32), *claim["proof"][level + 1 :]]}
        for level in range(len(claim["proof"]))
    ]
    assert all(go.check_proofs(*flipped))
    assert not any(ours_says(each) for each in flipped)


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_the_empty_proof_of_a_tree_of_one_entry(go: GoChecker, kind: str) -> None:
    [leaf] = [leaf_hash(entry) for entry in entries(1)]
    claim = {"kind": kind, "number": int(kind == "consistency"), "hash": leaf, "size": 1, "root": leaf, "proof": []}
    assert go.check_proofs(claim) == [""]
    assert ours_says(claim)
