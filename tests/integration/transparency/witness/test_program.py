"""The witness as a program of its own: how it begins, how it ends, and what it still knows after being killed."""

import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from governance.transparency.notes import parse_vkey, verify_cosignature
from governance.transparency.witness.__main__ import CANNOT_BEGIN, main
from governance.transparency.witness.memory import open_memory
from scripts.stack.places import ROOT
from tests.factories.logs import ORIGIN, WITNESS_NAME, NoteSigner, ToyLog
from tests.factories.witnesses import HOST

TIMEOUT = 120
ROUNDS = 4


@dataclass(frozen=True)
class Program:
    process: subprocess.Popen[str]
    vkey: str
    port: int

    def post(self, body: bytes) -> tuple[int, str]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=TIMEOUT)
        try:
            connection.request("POST", "/add-checkpoint", body=body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


@contextmanager
def program(directory: Path, *arguments: str) -> Iterator[Program]:
    command = [
        sys.executable,
        "-m",
        "governance.transparency.witness",
        "--name",
        WITNESS_NAME,
        "--state",
        str(directory),
    ]
    with subprocess.Popen(
        [*command, "--listen", f"{HOST}:0", *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        try:
            vkey = process.stdout.readline().strip()
            yield Program(process, vkey, int(process.stdout.readline().rpartition(":")[2]))
        finally:
            process.kill()


def test_it_keeps_its_key_and_memory_over_a_restart(tmp_path: Path) -> None:
    log = ToyLog()
    with program(tmp_path, "--log", log.signer.log_key.vkey) as first:
        assert first.post(log.submission(0, 3))[0] == HTTPStatus.OK
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(TIMEOUT) == 0
    with program(tmp_path, "--log", log.signer.log_key.vkey) as second:
        assert second.vkey == first.vkey
        assert second.post(log.submission(0, 5)) == (HTTPStatus.CONFLICT, "3\n")
        status, line = second.post(log.submission(3, 5))
    assert status == HTTPStatus.OK
    assert verify_cosignature(text=log.text(5), line=line, key=parse_vkey(first.vkey))


def post_until_it_is_gone(witness: Program, log: ToyLog, *, known: int) -> int:
    """Submit size after size beyond `known`; return the last one that was answered with a cosignature."""
    answered = known
    with suppress(OSError, http.client.HTTPException):
        while witness.post(log.submission(answered, answered + 1))[0] == HTTPStatus.OK:
            answered += 1
    return answered


def test_killed_at_any_moment_it_knows_at_least_what_it_cosigned(tmp_path: Path) -> None:
    """It is killed in a stream of requests, again and again. The last request may be remembered and not answered."""
    log = ToyLog()
    with program(tmp_path, "--log", log.signer.log_key.vkey) as witness:
        assert witness.post(log.submission(0, 1))[0] == HTTPStatus.OK
    answered = 1
    for turn in range(ROUNDS):
        with program(tmp_path, "--log", log.signer.log_key.vkey) as witness:
            status, known = witness.post(log.submission(0, 2))
            assert (status, int(known)) in [(HTTPStatus.CONFLICT, answered), (HTTPStatus.CONFLICT, answered + 1)]
            killing = threading.Timer(0.05 + 0.03 * turn, os.kill, (witness.process.pid, signal.SIGKILL))
            killing.start()
            answered = post_until_it_is_gone(witness, log, known=int(known))
            killing.join()
    with open_memory(tmp_path, name=WITNESS_NAME) as memory:
        seen = memory.seen(ORIGIN)
    assert seen.size in (answered, answered + 1)
    assert seen.root == log.root(seen.size)
    assert answered > ROUNDS


def test_it_prints_its_key_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--name", WITNESS_NAME, "--state", str(tmp_path), "--print-key"]) == 0
    key = parse_vkey(capsys.readouterr().out.strip())
    assert key.name == WITNESS_NAME
    with open_memory(tmp_path, name=WITNESS_NAME) as memory:
        assert memory.key.public_key().public_bytes_raw() == key.public


def test_it_serves_until_a_signal_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    telling = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))
    telling.start()
    assert main(["--name", WITNESS_NAME, "--state", str(tmp_path), "--listen", f"{HOST}:0"]) == 0
    telling.join()
    assert f"listening on {HOST}:" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--log", "no key"], "This is not a verifier key"),
        (["--log", NoteSigner("w/1").witness_key.vkey], "is not the key of a log"),
        (["--logs", "/dev"], "Is a directory: '/dev'"),
        (["--name", "two words"], "cannot be the name of a key"),
        (["--state", "/dev/null/state"], "/dev/null"),
        (["--listen", "192.0.2.1:1"], "Cannot assign requested address"),
    ],
)
def test_a_failed_start_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], said: str
) -> None:
    arguments = ["--name", WITNESS_NAME, "--state", str(tmp_path), "--listen", f"{HOST}:0", *wrong]
    assert main(arguments) == CANNOT_BEGIN
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [[], ["--listen", "8000"], ["--listen", ":1"], ["--listen", "h:65536"], ["--listen", "h:x"]]
)
def test_a_command_line_without_address_is_refused(tmp_path: Path, wrong: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--name", WITNESS_NAME, "--state", str(tmp_path), *wrong])
