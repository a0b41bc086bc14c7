"""The life of an embedded server: it is launched, waited for, and stopped, or all of that by a `with` block."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from scripts.stack.errors import StackError
from scripts.stack.ports import PortReservation, reserve_port
from scripts.stack.process import ManagedProcess, ProcessSpec


class EmbeddedServer(ABC):
    """One server in a process of its own. `label` names it to people; `ready_seconds` is how long a start may take."""

    label: ClassVar[str]
    ready_seconds: ClassVar[float] = 120.0  # a slow and busy machine may take long

    def __init__(self, *, log: Path) -> None:
        """Nothing is started or written yet; `log` gets the server's own messages."""
        self._log = log
        self.process: ManagedProcess | None = None

    @abstractmethod
    def launch(self) -> ManagedProcess:
        """Start the server without waiting for it. Raises StackError."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Return whether the server answers now."""

    def start(self) -> None:
        """Start the server and wait until it answers. Raises StackError or ProcessDied."""
        self.launch()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until the server answers. Raises ProcessDied, or StackError with the end of its log."""
        if self.process is None:
            raise StackError(f"{self.label} has not been started.")
        self.process.wait_until(self.is_ready, seconds=self.ready_seconds)

    def stop(self) -> None:
        """Stop the server and release what it holds; no effect where it does not run."""
        if self.process is not None:
            self.process.stop()

    def _launch(self, spec: ProcessSpec) -> ManagedProcess:
        self.process = ManagedProcess(spec=spec, log=self._log)
        self.process.start()
        return self.process

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


class PortServer(EmbeddedServer):
    """An embedded server on a private port of 127.0.0.1, which stays the same after a restart."""

    def __init__(self, *, log: Path) -> None:
        """No port is taken yet."""
        super().__init__(log=log)
        self._reservation: PortReservation | None = None

    @property
    def port(self) -> int:
        """The port, known before the server answers."""
        return self._reserved().port

    def stop(self) -> None:
        """Stop the server and release its port; no effect where it does not run."""
        super().stop()
        if self._reservation is not None:
            self._reservation.release()

    def _launch(self, spec: ProcessSpec) -> ManagedProcess:
        self._reserved().release()  # the server binds it now
        return super()._launch(spec)

    def _reserved(self) -> PortReservation:
        if self._reservation is None:
            self._reservation = reserve_port()
        return self._reservation
