"""A set of named processes that are started, watched and stopped together."""

import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType

from scripts.stack.errors import StackError
from scripts.stack.process import ManagedProcess

READY_SECONDS = 120.0
STOP_SECONDS = 15.0
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Restarts nothing: a process that ends by itself is an error that `check` raises."""

    def __init__(self) -> None:
        """Start without processes."""
        self._processes: dict[str, ManagedProcess] = {}
        self._ready: dict[str, Callable[[], bool]] = {}

    def add(self, process: ManagedProcess, *, ready: Callable[[], bool] | None = None) -> None:
        """Add a process, started or not; `ready` returns whether it works (by default, once it is started)."""
        self._processes[process.spec.name] = process
        self._ready[process.spec.name] = ready or (lambda: process.running)

    def get(self, name: str) -> ManagedProcess:
        """Return the process of that name. Raises StackError where there is none."""
        if name not in self._processes:
            raise StackError(f"There is no process {name}: choose from {', '.join(self._processes)}.")
        return self._processes[name]

    def launch(self, name: str) -> None:
        """Start one process without waiting for it. Raises StackError."""
        self.get(name).start()

    def wait_ready(self, name: str) -> None:
        """Wait until that process is ready. Raises ProcessDied or StackError with the end of its log."""
        self.get(name).wait_until(self._ready[name], seconds=READY_SECONDS)

    def check(self) -> None:
        """Raise ProcessDied, with the end of its log, for a process that ended although it was not stopped."""
        for process in self._processes.values():
            process.check()

    def watch(self, *, every: float = 0.5) -> None:
        """Check repeatedly until ProcessDied or a signal ends the stack. Never returns."""
        while True:
            self.check()
            time.sleep(every)

    def stop_all(self, *, but: Collection[str] = (), seconds: float = STOP_SECONDS) -> None:
        """Stop all processes but those; kill what still runs after `seconds`, with its children."""
        stopping = [process for name, process in self._processes.items() if name not in but]
        for process in stopping:
            process.signal_stop()
        deadline = time.monotonic() + seconds
        for process in stopping:
            process.stop(seconds=max(0.0, deadline - time.monotonic()))


@contextmanager
def ending_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the program as Ctrl-C does, so that whoever holds processes ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _interrupt) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore further ending signals while processes are being ended; that has a deadline of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)
