"""The whole stack: up when entered, watched inside, gone when left."""

import http.client
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from scripts.stack.errors import ProcessDied, StackError
from scripts.stack.leftovers import wait_ended
from scripts.stack.ports import HOST
from scripts.stack.stack import Stack
from tests.waiting import PATIENCE_SECONDS

NAMES = ("postgres", "valkey", "witness", "web", "worker", "worker-2", "control", "scheduler")


@pytest.fixture(scope="module")
def stack(shared_home: Path) -> Iterator[Stack]:
    """A stack with two inference workers, shared by the tests of this module."""
    with Stack(shared_home / "stack", worker_count=2, env={"ASSENT_SWEEP_SECONDS": "60"}) as started:
        yield started


def test_every_process_runs_and_the_web_server_answers(stack: Stack) -> None:
    stack.check()
    assert all(stack.process(name).running for name in NAMES)
    address = urlsplit(stack.web_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_SECONDS)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == http.HTTPStatus.OK
    connection.close()


def test_all_that_is_written_is_under_the_directory(stack: Stack) -> None:
    assert stack.env["ASSENT_DATA_DIR"] == str(stack.data_dir / "data")
    assert {path.stem for path in stack.logs.iterdir()} >= {*NAMES, "manage"}


def test_management_commands_run_in_the_stack(stack: Stack) -> None:
    assert stack.manage("shell", "-c", "from django.db import connection as c; print(c.vendor)").endswith(
        "postgresql\n"
    )


def test_a_management_command_that_fails_says_why(stack: Stack) -> None:
    with pytest.raises(StackError, match=r"manage.py no_such_command failed with exit code 1:\n    Unknown command"):
        stack.manage("no_such_command")


def test_a_killed_worker_is_no_error_and_starts_again(stack: Stack) -> None:
    before = stack.process("worker-2").pid
    stack.kill("worker-2")
    stack.check()
    stack.start_process("worker-2")
    assert stack.process("worker-2").pid != before


def test_the_broker_comes_back_at_the_same_address(stack: Stack) -> None:
    url = stack.env["REDIS_URL"]
    stack.stop_process("valkey")
    stack.start_process("valkey")
    stack.check()
    assert stack.env["REDIS_URL"] == url


def test_a_second_stack_on_the_same_directory_is_refused(stack: Stack) -> None:
    with pytest.raises(StackError, match=f"is in use by process {os.getpid()}"), Stack(stack.data_dir):
        pass


def test_a_taken_port_is_refused_before_anything_starts(home: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"Port {port} on"), Stack(home, port=port):
            pass
    assert not (home / "postgres").exists()


def test_an_unexpected_death_is_reported_and_nothing_outlives_the_stack(home: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    with Stack(home) as stack:
        ours = set(psutil.Process().children(recursive=True)) - before
        os.kill(stack.process("scheduler").pid or 0, signal.SIGKILL)
        with pytest.raises(ProcessDied, match=r"scheduler was killed by SIGKILL; the end of .*scheduler\.log"):
            stack.watch()
    assert len(ours) >= len(NAMES) - 1
    assert wait_ended(*ours, seconds=PATIENCE_SECONDS)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "no-url"])
def test_a_broker_from_outside_that_does_not_answer_is_named_at_once(tmp_path: Path, url: str) -> None:
    with (
        pytest.raises(StackError, match="The server of REDIS_URL does not answer"),
        Stack(tmp_path, env={"REDIS_URL": url}),
    ):
        pass
