"""The witness of a stack: a program of its own that keeps its key and its memory."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
import requests

from governance.audit.log.witnesses import witnesses_of
from scripts.stack.errors import StackError
from scripts.stack.witness import NAME, EmbeddedWitness
from tests.factories.logs import ToyLog
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[EmbeddedWitness]:
    embedded = EmbeddedWitness(tmp_path / "witness", log=tmp_path / "witness.log")
    yield embedded
    embedded.stop()


def test_it_cosigns_logs_that_are_added_while_it_runs(witness: EmbeddedWitness) -> None:
    log = ToyLog()
    witness.launch()
    witness.wait_ready()
    address = f"{witness.url}/add-checkpoint"
    assert requests.post(address, log.submission(0, 3), timeout=PATIENCE_SECONDS).status_code == HTTPStatus.NOT_FOUND
    witness.watch(f"{log.signer.log_key.vkey}\n")
    assert requests.post(address, log.submission(0, 3), timeout=PATIENCE_SECONDS).status_code == HTTPStatus.OK


def test_the_setting_names_it_before_and_after_a_restart(witness: EmbeddedWitness, tmp_path: Path) -> None:
    before = witness.setting
    [described] = witnesses_of(json.loads(before))
    assert (described.name, described.url) == (NAME, witness.url)
    for _ in range(2):
        witness.launch()
        witness.wait_ready()
        assert witness.setting == before
        witness.stop()
    again = EmbeddedWitness(tmp_path / "witness", log=tmp_path / "witness.log")
    assert json.loads(again.setting)[0]["vkey"] == json.loads(before)[0]["vkey"]
    again.stop()


def test_it_does_not_answer_before_it_was_started(witness: EmbeddedWitness) -> None:
    assert not witness.is_ready()
    with pytest.raises(StackError, match="has not been started"):
        witness.wait_ready()


def test_a_key_that_cannot_be_used_is_named(witness: EmbeddedWitness, tmp_path: Path) -> None:
    assert witness.setting
    (tmp_path / "witness" / "memory.json").unlink()
    again = EmbeddedWitness(tmp_path / "witness", log=tmp_path / "witness.log")
    with pytest.raises(StackError, match=r"The witness has no key: .*Retire this witness"):
        again.launch()
    again.stop()
