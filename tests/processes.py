"""Processes of their own for what a test wants to run at once with it, or to kill."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any
from unittest.mock import patch

from django.db import connection, connections

from tests.waiting import PATIENCE_SECONDS

_fork = multiprocessing.get_context("fork")


def started(act: Callable[[], Any]) -> BaseProcess:
    """Run `act` in a process of its own, with a database connection of its own.

    It forgets whatever connection came with the fork. Closing ours before is not enough: beside a browser's event loop
    Django keeps one for each context, and the child, where no loop runs, would take up another than we closed.
    """
    connection.close()

    def run() -> None:
        connections["default"] = connections.create_connection("default")
        act()

    process = _fork.Process(target=run, daemon=True)
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    """End a process as a power cut would."""
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()


@contextmanager
def killed_at(target: str, act: Callable[[], Any], *, after: Callable[..., Any] | None = None) -> Iterator[None]:
    """Run `act` in a process of its own until it calls `target`, let the block run, and then kill the process.

    `after` is done with the call's arguments before the process is held there.
    """
    arrived = _fork.Event()

    def hold(*values: Any, **named: Any) -> None:
        if after is not None:
            after(*values, **named)
        arrived.set()
        time.sleep(PATIENCE_SECONDS)

    def run() -> None:
        with patch(target, hold):
            act()

    process = started(run)
    try:
        assert arrived.wait(PATIENCE_SECONDS), f"{target} was not reached"
        yield
    finally:
        kill(process)
