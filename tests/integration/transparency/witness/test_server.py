"""The witness over HTTP, as the public protocol has it."""

import http.client
import socket
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from governance.transparency.notes import verify_cosignature
from governance.transparency.witness import server as server_module
from governance.transparency.witness.memory import Memory
from governance.transparency.witness.server import MAX_BODY_BYTES
from tests.factories.logs import ORIGIN, ToyLog
from tests.factories.witnesses import HOST, RunningWitness, running_witness

TIMEOUT = 120


@pytest.fixture
def log() -> ToyLog:
    return ToyLog()


@pytest.fixture
def running(tmp_path: Path, log: ToyLog) -> Iterator[RunningWitness]:
    with running_witness(tmp_path / "witness", log.signer.log_key.vkey) as witness:
        yield witness


@pytest.fixture
def connection(running: RunningWitness) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection(HOST, running.port, timeout=TIMEOUT)
    yield opened
    opened.close()


def post(connection: http.client.HTTPConnection, body: bytes, path: str = "/add-checkpoint") -> tuple[int, str, str]:
    connection.request("POST", path, body=body)
    response = connection.getresponse()
    return response.status, response.headers["Content-Type"], response.read().decode()


def test_a_checkpoint_is_cosigned_on_one_kept_connection(
    connection: http.client.HTTPConnection, running: RunningWitness, log: ToyLog
) -> None:
    for old, size in [(0, 3), (3, 7)]:
        status, content_type, line = post(connection, log.submission(old, size))
        used = connection.sock
        assert (status, content_type) == (HTTPStatus.OK, "text/plain; charset=utf-8")
        assert verify_cosignature(text=log.text(size), line=line, key=running.judge.key)
    assert connection.sock is used


def test_a_conflict_names_the_size_in_a_type_of_its_own(connection: http.client.HTTPConnection, log: ToyLog) -> None:
    post(connection, log.submission(0, 3))
    assert post(connection, log.submission(0, 7)) == (HTTPStatus.CONFLICT, "text/x.tlog.size", "3\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", HTTPStatus.OK),
        ("GET", "/add-checkpoint", HTTPStatus.NOT_FOUND),
        ("POST", "/other", HTTPStatus.NOT_FOUND),
        ("POST", "/add-checkpoint", HTTPStatus.BAD_REQUEST),
        ("PUT", "/add-checkpoint", HTTPStatus.NOT_IMPLEMENTED),
    ],
)
def test_there_is_nothing_else(connection: http.client.HTTPConnection, method: str, path: str, status: int) -> None:
    connection.request(method, path, body=b"")
    assert connection.getresponse().status == status


def test_too_long_a_request_is_not_even_read(connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", "/add-checkpoint")
    connection.putheader("Content-Length", str(MAX_BODY_BYTES + 1))
    connection.endheaders()
    response = connection.getresponse()
    assert (response.status, response.headers["Connection"]) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "close")


@pytest.mark.parametrize("length", ["", "-1", "many", "²"])
def test_a_request_states_its_length(connection: http.client.HTTPConnection, length: str) -> None:
    connection.putrequest("POST", "/add-checkpoint")
    connection.putheader("Content-Length", length.encode())
    connection.endheaders()
    assert connection.getresponse().status == HTTPStatus.LENGTH_REQUIRED


def test_a_witness_that_cannot_write_says_so_and_cosigns_nothing(
    connection: http.client.HTTPConnection,
    log: ToyLog,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*values: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Memory, "remember", full)
    status, _, said = post(connection, log.submission(0, 3))
    assert (status, said) == (HTTPStatus.INTERNAL_SERVER_ERROR, "The witness cannot work; its log says why.\n")
    assert "no space left on device" in caplog.text


def test_beyond_its_connections_it_closes_further_ones_and_goes_on(
    tmp_path: Path, log: ToyLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 1)
    with running_witness(tmp_path / "small", log.signer.log_key.vkey) as running:
        first = http.client.HTTPConnection(HOST, running.port, timeout=TIMEOUT)
        assert post(first, log.submission(0, 3))[0] == HTTPStatus.OK
        with socket.create_connection((HOST, running.port), timeout=TIMEOUT) as second:
            assert second.recv(1) == b""
        assert post(first, log.submission(3, 4))[0] == HTTPStatus.OK
        first.close()
        assert running.memory.seen(ORIGIN).size == 4


def test_when_it_ends_kept_connections_end_too(tmp_path: Path, log: ToyLog) -> None:
    with running_witness(tmp_path / "ending", log.signer.log_key.vkey) as running:
        connection = http.client.HTTPConnection(HOST, running.port, timeout=TIMEOUT)
        assert post(connection, log.submission(0, 3))[0] == HTTPStatus.OK
    with pytest.raises((http.client.HTTPException, OSError)):
        post(connection, log.submission(3, 4))
    connection.close()
