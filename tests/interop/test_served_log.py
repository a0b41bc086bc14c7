"""A running server's log, read over HTTP and checked by Go: checkpoint, cosignatures, tiles, entries and proofs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import transaction
from pytest_django.live_server_helper import LiveServer

from governance.audit.log.checkpoints import advance_log
from governance.audit.models import LedgerEntry, LogTile
from governance.audit.ports import worm_store
from governance.audit.recording.record import record
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.types import Actor, SubjectRef
from governance.keys.ring import KeyRing, key_ring
from tests.factories.audit import LooseEntry
from tests.factories.keys import development_ring
from tests.factories.witnesses import RunningWitness, running_witness
from tests.history import guards_lifted
from tests.interop.go_checker import CheckerFailed, GoChecker

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 700  # two full tiles of level 0, a partial one, and a partial one of level 1


@pytest.fixture(autouse=True)
def ring() -> Iterator[KeyRing]:
    with key_ring.override(development_ring()) as ring:
        yield ring


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[FilesystemWormStore]:
    with worm_store.override(FilesystemWormStore(tmp_path / "worm")) as store:
        yield store


def log_vkeys(capsys: pytest.CaptureFixture[str]) -> list[str]:
    call_command("log_vkey")
    return capsys.readouterr().out.split()


@pytest.fixture
def vkeys(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return log_vkeys(capsys)


@pytest.fixture
def witness(tmp_path: Path, vkeys: list[str], settings: LazySettings) -> Iterator[RunningWitness]:
    with running_witness(tmp_path / "witness", *vkeys) as running:
        described = {"name": running.witness.name, "url": running.witness.url, "vkey": running.witness.key.vkey}
        settings.ASSENT_WITNESSES, settings.ASSENT_WITNESS_QUORUM = [described], 1
        yield running


def grow(count: int) -> None:
    with transaction.atomic():
        for number in range(count):
            record(
                LooseEntry("decision.recorded", {"number": number, "text": "é" * (number % 7)}),
                subject=SubjectRef("job", f"job-{number}"),
                actor=Actor("system", "test"),
            )
    advance_log()


@pytest.mark.parametrize("count", [1, 254, MANY])
def test_go_accepts_the_whole_log(
    go: GoChecker, live_server: LiveServer, witness: RunningWitness, vkeys: list[str], count: int
) -> None:
    grow(count)
    found = go.check_log(f"{live_server.url}/log", *vkeys, witness.witness.key.vkey)
    assert found["entries"] == found["size"] >= count
    assert found["proofs"] == 8
    assert found["signers"] == [found["origin"], witness.witness.name]


def test_go_finds_each_checkpoint_consistent_with_the_one_before(
    go: GoChecker, live_server: LiveServer, vkeys: list[str]
) -> None:
    url = f"{live_server.url}/log"
    for count in (1, 3, 255, 260):
        grow(count)
        assert go.check_log(url, *vkeys)["proofs"] == 8


def test_go_names_an_entry_that_was_edited_behind_the_application(
    go: GoChecker, live_server: LiveServer, vkeys: list[str]
) -> None:
    grow(300)
    with guards_lifted():
        edited = LedgerEntry.objects.get(index=7)
        LedgerEntry.objects.filter(index=7).update(body=bytes(edited.body).replace(b"decision", b"delusion"))
    with pytest.raises(CheckerFailed, match="entry 7 is not the one in the tree"):
        go.check_log(f"{live_server.url}/log", *vkeys)


def test_go_finds_a_tile_that_was_edited_behind_the_application(
    go: GoChecker, live_server: LiveServer, vkeys: list[str]
) -> None:
    grow(300)
    with guards_lifted():
        tile = LogTile.objects.get(level=0, number=0)
        LogTile.objects.filter(pk=tile.pk).update(hashes=bytes(32) + bytes(tile.hashes)[32:])
    with pytest.raises(CheckerFailed, match="inconsistent tile"):
        go.check_log(f"{live_server.url}/log", *vkeys)


def test_go_does_not_take_another_key_for_the_log(
    go: GoChecker, live_server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(3)
    with key_ring.override(development_ring()), pytest.raises(CheckerFailed, match="no verifiable signatures"):
        go.check_log(f"{live_server.url}/log", *log_vkeys(capsys))
