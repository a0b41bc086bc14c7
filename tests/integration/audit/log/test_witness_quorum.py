"""Two of three witnesses have to cosign: what is published while they come and go."""

from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from governance.audit.log.checkpoints import advance_log, newest_checkpoint, published_checkpoint, signed_note_of
from governance.audit.log.log_alarms import halted
from governance.audit.models import Checkpoint, Cosignature
from governance.keys.ring import KeyPurpose, KeyRing
from governance.transparency.notes import open_note
from tests.factories.audit import record_entries
from tests.factories.logs import NoteSigner, ToyLog
from tests.factories.witnesses import RunningWitness, running_witness
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db

NAMES = ("witness.example/w1", "witness.example/w2", "witness.example/w3")


class Witnesses:
    """Three witnesses that stop and start again, each at its address, with its key and its memory."""

    def __init__(self, directory: Path, vkeys: list[str]) -> None:
        self._directory = directory
        self._vkeys = vkeys
        self._stacks: dict[str, ExitStack] = {}
        self.known: dict[str, RunningWitness] = {}

    def start(self, *names: str) -> None:
        for name in names:
            stack = ExitStack()
            directory = self._directory / name.rpartition("/")[2]
            port = self.known[name].port if name in self.known else 0
            self.known[name] = stack.enter_context(running_witness(directory, *self._vkeys, name=name, port=port))
            self._stacks[name] = stack

    def stop(self, *names: str) -> None:
        for name in names:
            self._stacks.pop(name).close()

    def stop_all(self) -> None:
        self.stop(*self._stacks)

    def described(self) -> list[dict[str, str]]:
        found = [each.witness for each in self.known.values()]
        return [{"name": each.name, "url": each.url, "vkey": each.key.vkey} for each in found]


@pytest.fixture
def witnesses(
    tmp_path: Path, settings: LazySettings, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Witnesses]:
    monkeypatch.setattr("governance.audit.log.witnesses.GRACE_SECONDS", PATIENCE_SECONDS)
    out = StringIO()
    call_command("log_vkey", stdout=out)
    three = Witnesses(tmp_path / "witnesses", out.getvalue().split())
    three.start(*NAMES)
    settings.ASSENT_WITNESSES, settings.ASSENT_WITNESS_QUORUM = three.described(), 2
    yield three
    three.stop_all()


def advance() -> None:
    record_entries(1)
    advance_log()


def test_all_three_sign_the_checkpoint_that_is_published(witnesses: Witnesses) -> None:
    advance()
    published = published_checkpoint()
    assert published == newest_checkpoint()
    keys = [each.witness.key for each in witnesses.known.values()]
    assert set(open_note(note=signed_note_of(published), keys=keys).verified) == set(keys)


def test_with_one_down_publication_goes_on(witnesses: Witnesses) -> None:
    witnesses.stop(NAMES[0])
    advance()
    advance()
    assert published_checkpoint() == newest_checkpoint()
    assert set(Cosignature.objects.values_list("witness", flat=True)) == set(NAMES[1:])


def test_with_two_down_the_last_cosigned_stays_published_until_one_is_back(witnesses: Witnesses) -> None:
    advance()
    witnesses.stop(*NAMES[:2])
    advance()
    advance()
    assert [published_checkpoint().number, newest_checkpoint().number] == [1, 3]
    assert halted() is None

    witnesses.start(NAMES[1])
    advance_log()
    assert published_checkpoint() == newest_checkpoint()
    assert Checkpoint.objects.count() == 3  # nothing was signed anew for it


def test_a_quorum_that_was_never_reached_is_reported_without_reading_every_checkpoint(
    witnesses: Witnesses, django_assert_num_queries: Any
) -> None:
    witnesses.stop(*NAMES[:2])
    advance()

    with django_assert_num_queries(len(NAMES)):
        assert published_checkpoint() is None


def test_one_that_was_away_for_long_goes_on_from_where_it_was(witnesses: Witnesses) -> None:
    advance()
    witnesses.stop(NAMES[0])
    for _ in range(3):
        advance()
    witnesses.start(NAMES[0])
    advance()
    assert newest_checkpoint().cosignatures.count() == 3


def test_witnesses_that_saw_another_history_do_not_sign_this_one(
    witnesses: Witnesses, settings: LazySettings, ring: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    """Two witnesses were shown another log under the same key: the database is consistent in itself, yet a fork."""
    [pair] = [each for each in ring._store.load() if each.info.purpose is KeyPurpose.CHECKPOINT]
    fork = ToyLog(NoteSigner(settings.ASSENT_LOG_ORIGIN, pair.private), "other")
    for name in NAMES[:2]:
        assert witnesses.known[name].judge.add_checkpoint(fork.submission(0, 3)).status == HTTPStatus.OK
    advance()
    assert published_checkpoint() is None
    assert newest_checkpoint().cosignatures.count() == 1
    alarming = [each for each in caplog.records if each.levelname == "ERROR" and "did not cosign" in each.message]
    assert len(alarming) == 2
