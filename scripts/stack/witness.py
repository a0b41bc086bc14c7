"""A witness on a private port of 127.0.0.1: it cosigns the checkpoints of the log beside it.

On one machine, under one person's hands, it proves little; it is there so that all runs as it does with witnesses of
others. `docs/operations/witnesses.md` says how to add those.
"""

import json
import subprocess
import sys
from pathlib import Path

from governance.kernel.durable_files import replace_file
from scripts.stack.errors import StackError
from scripts.stack.places import ROOT, make_writable
from scripts.stack.ports import HOST, PortReservation, reserve_port
from scripts.stack.process import ManagedProcess, ProcessSpec
from scripts.stack.readiness import answers_ok

NAME = "assent.local/witness"
READY_SECONDS = 30.0


class EmbeddedWitness:
    """One witness in one directory, which keeps its key and its memory from start to start."""

    def __init__(self, directory: Path, *, log: Path) -> None:
        """Nothing is written before it is used."""
        self._directory = directory
        self._log = log
        self._reservation: PortReservation | None = None
        self._vkey = ""
        self.process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`; known before it answers, and the same after a restart."""
        return f"http://{HOST}:{self._reserved().port}"

    @property
    def setting(self) -> str:
        """ASSENT_WITNESSES for whoever is to ask this witness. Raises StackError where its key cannot be made."""
        return json.dumps([{"name": NAME, "url": self.url, "vkey": self._key()}])

    def watch(self, vkeys: str) -> None:
        """Let it cosign the logs with these verifier keys, one a line, instead of those before."""
        replace_file(self._logs(), vkeys.encode(), mode=0o600)

    def launch(self) -> ManagedProcess:
        """Start it without waiting for it. Raises StackError."""
        self._key()  # while nobody holds its directory
        address = f"{HOST}:{self._reserved().port}"
        command = [*self._command(), "--listen", address, "--logs", str(self._logs())]
        self._reserved().release()
        self.process = ManagedProcess(
            spec=ProcessSpec(name="witness", command=command, cwd=ROOT, env={"PYTHONUNBUFFERED": "1"}), log=self._log
        )
        self.process.start()
        return self.process

    def wait_ready(self) -> None:
        """Wait until it answers. Raises ProcessDied or StackError with its log's end."""
        if self.process is None:
            raise StackError("The witness has not been started.")
        self.process.wait_until(self.is_ready, seconds=READY_SECONDS)

    def is_ready(self) -> bool:
        """Say whether it answers now."""
        return answers_ok(self._reserved().port, "/healthz")

    def stop(self) -> None:
        """End it; no effect where it does not run."""
        if self.process is not None:
            self.process.stop()
        if self._reservation is not None:
            self._reservation.release()

    def _key(self) -> str:
        if not self._vkey:
            done = subprocess.run(
                [*self._command(), "--print-key"], cwd=ROOT, capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise StackError(f"The witness has no key: {done.stderr.strip()}")
            self._vkey = done.stdout.strip()
        return self._vkey

    def _command(self) -> list[str]:
        state = make_writable(self._directory)
        return [sys.executable, "-m", "governance.transparency.witness", "--name", NAME, "--state", str(state)]

    def _logs(self) -> Path:
        return make_writable(self._directory) / "logs"

    def _reserved(self) -> PortReservation:
        if self._reservation is None:
            self._reservation = reserve_port()
        return self._reservation
