import struct
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.audit.errors import LogIncomplete, LogRangeInvalid
from governance.audit.log.log_reader import (
    consistency_proof,
    entry_bundle,
    inclusion_proof,
    log_size,
    root_at,
    tile,
)
from governance.audit.models import LedgerEntry, LogTile
from governance.transparency.merkle import EMPTY_ROOT, Frontier, leaf_hash
from governance.transparency.proofs import verify_consistency, verify_inclusion
from tests.effort import examples
from tests.factories.audit import filled_log
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db

SIZE = 70_000


def bodies() -> list[bytes]:
    return [bytes(body) for body in LedgerEntry.objects.order_by("index").values_list("body", flat=True)]


def hashes(data: bytes) -> list[bytes]:
    return [data[place : place + 32] for place in range(0, len(data), 32)]


def test_an_empty_log_has_no_entries_and_the_empty_root() -> None:
    assert (log_size(), root_at(0), consistency_proof(first=0, second=0)) == (0, EMPTY_ROOT, [])


def test_tiles_of_seventy_thousand_entries_are_those_of_the_specification() -> None:
    filled_log(SIZE)
    leaves = [leaf_hash(body) for body in bodies()]

    assert log_size() == SIZE
    assert LogTile.objects.filter(level=0).count() == 273
    assert LogTile.objects.filter(level=1).count() == 1
    assert not LogTile.objects.filter(level__gte=2).exists()
    assert hashes(tile(0, 272)) == leaves[272 * 256 : 273 * 256]
    assert hashes(tile(0, 273, 112)) == leaves[273 * 256 :]
    roots = [Frontier().extended(leaves[n * 256 : (n + 1) * 256]).root() for n in range(273)]
    assert hashes(tile(1, 0)) == roots[:256]
    assert hashes(tile(1, 0, 5)) == roots[:5]
    assert hashes(tile(1, 1, 17)) == roots[256:]
    assert tile(2, 0, 1) == Frontier().extended(leaves[:65536]).root()
    assert root_at(SIZE) == Frontier().extended(leaves).root()
    for index in (0, 255, 256, 65_535, 65_536, 69_887, 69_888, SIZE - 1):
        proof = inclusion_proof(index=index, size=SIZE)
        verify_inclusion(index=index, size=SIZE, leaf=leaves[index], proof=proof, root=root_at(SIZE))
    for first in (1, 255, 256, 257, 65_535, 65_536, 65_537, SIZE):
        verify_consistency(
            first=first,
            second=SIZE,
            first_root=Frontier().extended(leaves[:first]).root(),
            second_root=root_at(SIZE),
            proof=consistency_proof(first=first, second=SIZE),
        )


def test_a_proof_takes_few_queries(django_assert_max_num_queries: Any) -> None:
    filled_log(SIZE)
    with django_assert_max_num_queries(4):
        inclusion_proof(index=12_345, size=SIZE)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=examples(60))
@given(size=st.integers(1, 600), data=st.data())
def test_proofs_of_every_size_hold(log_of_600: list[bytes], size: int, data: st.DataObject) -> None:
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    root = Frontier().extended(log_of_600[:size]).root()

    assert root_at(size) == root
    proof = inclusion_proof(index=index, size=size)
    verify_inclusion(index=index, size=size, leaf=log_of_600[index], proof=proof, root=root)
    earlier = Frontier().extended(log_of_600[:first]).root()
    proof = consistency_proof(first=first, second=size)
    verify_consistency(first=first, second=size, first_root=earlier, second_root=root, proof=proof)


@pytest.fixture
def log_of_600() -> list[bytes]:
    filled_log(600)
    return [leaf_hash(body) for body in bodies()]


def test_bundles_hold_the_bytes_of_entries() -> None:
    filled_log(258)
    expected = bodies()

    assert entry_bundle(0) == b"".join(struct.pack(">H", len(body)) + body for body in expected[:256])
    assert entry_bundle(1, 2) == b"".join(struct.pack(">H", len(body)) + body for body in expected[256:])
    assert entry_bundle(0, 1) == struct.pack(">H", len(expected[0])) + expected[0]


def test_what_the_log_does_not_have_is_named() -> None:
    filled_log(300)
    with pytest.raises(LogIncomplete, match=r"0 of 1 entries"):
        entry_bundle(2, 1)
    with pytest.raises(LogIncomplete, match="44 of 45 hashes of tile 0/1"):
        tile(0, 1, 45)
    with pytest.raises(LogIncomplete):
        root_at(512)
    with guards_lifted(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_logtile")
    with pytest.raises(LogIncomplete, match="0 of 1 hashes of tile 1/0"):
        root_at(300)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_places_that_there_are_not_are_refused(index: int, size: int) -> None:
    with pytest.raises(LogRangeInvalid, match="no entry"):
        inclusion_proof(index=index, size=size)


@pytest.mark.parametrize(("first", "second"), [(-1, 3), (4, 3)])
def test_trees_that_shrink_are_refused(first: int, second: int) -> None:
    with pytest.raises(LogRangeInvalid, match="cannot continue"):
        consistency_proof(first=first, second=second)


def test_no_tree_has_less_than_nothing() -> None:
    with pytest.raises(LogRangeInvalid):
        root_at(-1)
