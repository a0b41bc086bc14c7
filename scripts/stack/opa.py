"""A real Open Policy Agent server on a private port of 127.0.0.1."""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.install_opa import opa_program
from scripts.stack.errors import StackError
from scripts.stack.places import make_writable
from scripts.stack.ports import HOST, PortReservation, reserve_port
from scripts.stack.process import ManagedProcess, ProcessSpec
from scripts.stack.readiness import answers_ok

READY_SECONDS = 30.0
CONFIG_NAME = "opa.json"


class EmbeddedOpa:
    """One server in one directory. Configured it pulls its policy; else it takes policy by its REST API."""

    def __init__(self, directory: Path, *, log: Path, config: Callable[[], str] | None = None) -> None:
        """Nothing is written before `start`, which asks `config` for the configuration (JSON or YAML)."""
        self._directory = directory
        self._log = log
        self._config = config
        self._reservation: PortReservation | None = None
        self.process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`; known before the server answers, and the same after a restart."""
        return f"http://{HOST}:{self._reserved().port}"

    def start(self) -> None:
        """Start the server and wait until it answers. Raises StackError or ProcessDied."""
        self.launch()
        self.wait_ready()

    def launch(self) -> ManagedProcess:
        """Start the server without waiting for it. Raises StackError where there is no OPA."""
        directory = make_writable(self._directory)
        command = [opa_program(), "run", "--server", "--addr", f"{HOST}:{self._reserved().port}"]
        command += ["--disable-telemetry", "--shutdown-grace-period", "2", "--log-level", "info"]
        if self._config is not None:
            command += ["--authorization", "basic", "--config-file", self._write(directory, self._config())]
        self._reserved().release()
        env = {"PATH": os.defpath, "TZ": "UTC", "HOME": str(directory)}
        self.process = ManagedProcess(
            spec=ProcessSpec(name="opa", command=command, cwd=directory, env=env), log=self._log
        )
        self.process.start()
        return self.process

    def wait_ready(self) -> None:
        """Wait until the server answers, its policy active. Raises ProcessDied or StackError with its log's end."""
        if self.process is None:
            raise StackError("OPA has not been started.")
        self.process.wait_until(self.is_ready, seconds=READY_SECONDS)

    def is_ready(self) -> bool:
        """Say whether the server answers now and has activated the bundles that it is told to pull."""
        return answers_ok(self._reserved().port, "/health?bundles=true")

    def stop(self) -> None:
        """End the server; no effect where it does not run."""
        if self.process is not None:
            self.process.stop()
        self._reserved().release()

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

    def _reserved(self) -> PortReservation:
        if self._reservation is None:
            self._reservation = reserve_port()
        return self._reservation

    def _write(self, directory: Path, config: str) -> str:
        # The configuration holds the server's credential.
        path = directory / CONFIG_NAME
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(config)
        return CONFIG_NAME
