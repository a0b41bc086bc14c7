"""A witness on a private port of 127.0.0.1: it cosigns the checkpoints of the log beside it.

A witness that the log's operator runs proves little. It is there so that the log works as it does with independent
witnesses; `docs/operations/witnesses.md` says how to add those.
"""

import json
import subprocess
import sys
from pathlib import Path

from governance.kernel.durable_files import replace_file
from scripts.stack.errors import StackError
from scripts.stack.places import ROOT, make_writable
from scripts.stack.ports import HOST
from scripts.stack.process import ManagedProcess, ProcessSpec
from scripts.stack.readiness import answers_ok
from scripts.stack.server import PortServer

NAME = "assent.local/witness"


class EmbeddedWitness(PortServer):
    """One witness in one directory, which keeps its key and its memory from start to start."""

    label = "The witness"

    def __init__(self, directory: Path, *, log: Path) -> None:
        """Nothing is written before it is used."""
        super().__init__(log=log)
        self._directory = directory
        self._vkey = ""

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`; known before it answers, and the same after a restart."""
        return f"http://{HOST}:{self.port}"

    @property
    def setting(self) -> str:
        """The value of ASSENT_WITNESSES that names this witness. Raises StackError where its key cannot be made."""
        return json.dumps([{"name": NAME, "url": self.url, "vkey": self._key()}])

    def watch(self, vkeys: str) -> None:
        """Set the logs that it cosigns: their verifier keys, one a line."""
        replace_file(self._logs(), vkeys.encode(), mode=0o600)

    def launch(self) -> ManagedProcess:
        """Start it without waiting for it. Raises StackError."""
        self._key()  # while nobody holds its directory
        command = [*self._command(), "--listen", f"{HOST}:{self.port}", "--logs", str(self._logs())]
        return self._launch(ProcessSpec(name="witness", command=command, cwd=ROOT, env={"PYTHONUNBUFFERED": "1"}))

    def is_ready(self) -> bool:
        """Return whether it answers now."""
        return answers_ok(self.port, "/healthz")

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
