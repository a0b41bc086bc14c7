"""A real Open Policy Agent server on a private port of 127.0.0.1."""

import os
from collections.abc import Callable
from pathlib import Path

from scripts.install_opa import opa_program
from scripts.stack.places import make_writable
from scripts.stack.ports import HOST
from scripts.stack.process import ManagedProcess, ProcessSpec
from scripts.stack.readiness import answers_ok
from scripts.stack.server import PortServer

CONFIG_NAME = "opa.json"


class EmbeddedOpa(PortServer):
    """One server in one directory. With a configuration it pulls its policy; else it takes policy by its REST API."""

    label = "OPA"

    def __init__(
        self, directory: Path, *, log: Path, config: Callable[[], str] | None = None, log_level: str = "info"
    ) -> None:
        """Nothing is written before `start`, which asks `config` for the configuration (JSON or YAML)."""
        super().__init__(log=log)
        self._directory = directory
        self._config = config
        self._log_level = log_level

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`; known before the server answers, and the same after a restart."""
        return f"http://{HOST}:{self.port}"

    def launch(self) -> ManagedProcess:
        """Start the server without waiting for it. Raises StackError where there is no OPA."""
        directory = make_writable(self._directory)
        command = [opa_program(), "run", "--server", "--addr", f"{HOST}:{self.port}"]
        command += ["--disable-telemetry", "--shutdown-grace-period", "2", "--log-level", self._log_level]
        if self._config is not None:
            command += ["--authorization", "basic", "--config-file", self._write(directory, self._config())]
        env = {"PATH": os.defpath, "TZ": "UTC", "HOME": str(directory)}
        return self._launch(ProcessSpec(name="opa", command=command, cwd=directory, env=env))

    def is_ready(self) -> bool:
        """Return whether the server answers now and has activated the bundles that it is configured to pull."""
        return answers_ok(self.port, "/health?bundles=true")

    def _write(self, directory: Path, config: str) -> str:
        # The configuration holds the server's credential.
        path = directory / CONFIG_NAME
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(config)
        return CONFIG_NAME
