"""Fixtures of the witness's tests: a log, and a witness that watches it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.transparency.witness.judge import Judge
from governance.transparency.witness.logs import WatchedLogs
from governance.transparency.witness.memory import Memory, open_memory
from tests.factories.logs import WITNESS_NAME, ToyLog


@pytest.fixture
def log() -> ToyLog:
    return ToyLog()


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with open_memory(tmp_path / "witness", name=WITNESS_NAME) as opened:
        yield opened


@pytest.fixture
def judge(memory: Memory, log: ToyLog) -> Judge:
    return Judge(memory, WatchedLogs([log.signer.log_key.vkey]).keys_of)
