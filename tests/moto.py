"""moto's servers for tests: they take the requests of AWS services and keep what was sent in memory."""

import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path

from scripts.stack.ports import HOST
from scripts.stack.process import ManagedProcess, ProcessSpec
from scripts.stack.server import PortServer


class MotoServer(PortServer):
    """moto as a process of its own, with every service that it knows."""

    label = "moto"

    def __init__(self, directory: Path, *, env: Mapping[str, str]) -> None:
        """Its log goes into `directory`; `env` adds to the environment."""
        super().__init__(log=directory / "moto.log")
        self._directory = directory
        self._env = env

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def launch(self) -> ManagedProcess:
        """Start it without waiting for it."""
        command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.port)]
        return self._launch(
            ProcessSpec(name="moto", command=command, cwd=self._directory, env={**os.environ, **self._env})
        )

    def is_ready(self) -> bool:
        """Return whether it answers requests."""
        return answers_http(self.port)


def answers_http(port: int) -> bool:
    """Return whether the server at `port` takes requests: one without a signature may be refused, not broken off."""
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()
