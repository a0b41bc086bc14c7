import pytest

from governance.audit.log.tile_checks import tile_faults
from governance.audit.models import LedgerEntry, LogTile
from governance.audit.tally import Tally
from tests.factories.audit import filled_log
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db

SIZE = 66_000


def found(tally: Tally | None = None) -> list[tuple[str, str]]:
    return [(each.subject, each.message) for each in tile_faults(tally or Tally())]


def test_an_empty_log_has_no_tiles() -> None:
    assert found() == []


def test_tiles_of_every_level_hold() -> None:
    filled_log(SIZE)
    tally = Tally()

    assert found(tally) == []
    assert tally.checked["log_tiles"] == 257 + 1


def test_tiles_that_are_missing_are_named() -> None:
    filled_log(1100)
    with guards_lifted():
        LogTile.objects.filter(number__in=[0, 1, 3])._raw_delete(using="default")

    assert found() == [(f"log tile 0/{number}", "It is missing.") for number in (0, 1, 3)]


def test_a_changed_tile_is_named() -> None:
    filled_log(600)
    with guards_lifted():
        LogTile.objects.filter(number=1).update(hashes=bytes(8192))

    assert found() == [("log tile 0/1", "Its hashes differ from the level below.")]


def test_a_changed_leaf_hash_is_named_by_its_tile() -> None:
    filled_log(600)
    with guards_lifted():
        LedgerEntry.objects.filter(index=3).update(leaf_hash=bytes(32))

    assert found() == [("log tile 0/0", "Its hashes differ from the level below.")]


def test_a_changed_root_is_named_where_it_stands_and_above() -> None:
    filled_log(SIZE)
    with guards_lifted():
        LogTile.objects.filter(level=0, number=9).update(root=bytes(32))

    assert found() == [
        ("log tile 0/9", "Its hashes do not lead to the stored root hash."),
        ("log tile 1/0", "Its hashes differ from the level below."),
    ]
