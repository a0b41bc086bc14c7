"""One child process: its own process group, its own log, and an end at the latest when its parent ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.stack.errors import ProcessDied, StackError
from scripts.stack.service_user import ServiceUser

LAUNCHER = Path(__file__).with_name("launcher.py")
STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to start, and which signals mean "finish and end" and "your supervisor is gone"."""

    name: str
    command: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM
    user: ServiceUser | None = None


@dataclass(slots=True)
class ManagedProcess:
    """A child that can be started, stopped, killed and started again; it never restarts by itself.

    Start it from a thread that lives as long as the stack (the main thread): the kernel takes the end of the thread
    that started a child for the end of its parent.
    """

    spec: ProcessSpec
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _wanted: bool = field(default=False, init=False)

    def start(self) -> None:
        """Start the child, its output added to the log. Raises StackError where it runs already or cannot start."""
        if self.running:
            raise StackError(f"{self.spec.name} runs already (process {self.pid}).")
        user = self.spec.user
        tie = (os.getpid(), int(self.spec.death_signal), user.uid if user else -1, user.gid if user else -1)
        command = [sys.executable, "-I", "-S", str(LAUNCHER), *(str(part) for part in tie), *self.spec.command]
        try:
            with self.log.open("ab") as output:
                self._process = subprocess.Popen(
                    command,
                    cwd=self.spec.cwd,
                    env=dict(self.spec.env),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops all in order
                )
        except OSError as error:
            raise StackError(f"Cannot start {self.spec.name}: {error}.") from error
        self._wanted = True

    @property
    def pid(self) -> int | None:
        """The process id of the child that runs or ran last."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether the child runs now."""
        return self._process is not None and self._process.poll() is None

    def check(self) -> None:
        """Raise ProcessDied, with the end of the log, where the child ended although it was not stopped."""
        if self._wanted and self._process is not None and self._process.poll() is not None:
            code = self._process.returncode
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            raise ProcessDied(f"{self.spec.name} {how}; the end of {self.log}:\n{self.tail()}")

    def signal_stop(self) -> None:
        """Send the child its stop signal, without waiting."""
        self._wanted = False
        if self._process is not None and self.running:
            self._process.send_signal(self.spec.stop_signal)

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Stop the child: send its stop signal, wait up to `seconds`, then kill its process group."""
        self.signal_stop()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=seconds)
            self.kill()

    def kill(self) -> None:
        """End the child and its process group at once (SIGKILL); no effect where they are gone."""
        self._wanted = False
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses where it finds nobody left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of the log, indented."""
        try:
            found = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
        except OSError:
            found = []
        return "\n".join(f"    {line}" for line in found) or "    (the log is empty)"

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `ready()` is true. Raises ProcessDied where the child ends, StackError after `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self.spec.name} was not ready after {seconds:.0f} s; the end of {self.log}:\n{self.tail()}"
                )
            time.sleep(0.05)
