"""Runs hand-written Rego in processes of its own, which end when the module's budget is spent.

Compiled rules end by construction and stay in this process. A hand-written module may loop for as long as there are
stars, and regopy, once called, comes back when it is done. So it runs in a child that is kept warm: its processor time
is limited by the kernel, its memory too, and whatever else happens it is killed when the time on the clock is up.
"""

import atexit
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from governance.engines.errors import EngineUnavailable, PolicyOverBudget, ProgramProblem, ProgramRejected
from governance.engines.rego_child import LENGTH_BYTES
from governance.kernel.canonical import sha256_hex

DEFAULT_BUDGET_MS: Final = 250
#: Seconds of processor time and on the clock in which a module must build, and a child must start.
BUILD_SECONDS: Final = 10.0
START_SECONDS: Final = 60.0
_CHILDREN: Final = 4
#: A child that has built this many modules gives way to a new one.
MODULES_KEPT: Final = 32
_MOST_ANSWER_BYTES: Final = 1024 * 1024
_OVER_BUDGET: Final = frozenset({-signal.SIGPROF, -signal.SIGKILL, -signal.SIGABRT, -signal.SIGXCPU})


def clock_seconds(budget_ms: int) -> float:
    """Return the longest time on the clock for a budget of processor time: a busy machine runs others meanwhile."""
    return 2.0 + budget_ms / 100


class RegoSandbox:
    """At most four children, started when they are needed. Safe to share between threads, and after a fork."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(_CHILDREN)
        self._idle: list[_Child] = []
        self._owner = os.getpid()

    def decide(self, *, action: str, source: str, facts: Mapping[str, object], budget_ms: int) -> object:
        """Return the decision document of a module for these facts.

        `budget_ms` is processor time. Raises PolicyOverBudget when the module needs more time or memory,
        ProgramRejected when it does not build, EngineUnavailable when no child is free in time, or one fails otherwise.
        """
        self._forget_parents()
        if not self._free.acquire(timeout=clock_seconds(budget_ms)):
            raise EngineUnavailable("Every process that runs hand-written rules is busy.")
        try:
            child = self._child()
            try:
                document = child.decide(action, source, facts, budget_ms)
            except BaseException as error:
                if isinstance(error, ProgramRejected | _Refused):
                    self._keep(child)
                else:
                    child.end()
                raise
            self._keep(child)
            return document
        finally:
            self._free.release()

    def close(self) -> None:
        """End the children that wait for work."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _child(self) -> "_Child":
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Child()

    def _keep(self, child: "_Child") -> None:
        if len(child.loaded) >= MODULES_KEPT:
            child.end()
            return
        with self._lock:
            self._idle.append(child)

    def _forget_parents(self) -> None:
        """After a fork the children belong to the parent."""
        if self._owner != os.getpid():
            for child in self._idle:
                child.forget()
            self._begin()


@cache
def shared_sandbox() -> RegoSandbox:
    """Return the sandbox of this process; its children end with it."""
    sandbox = RegoSandbox()
    atexit.register(sandbox.close)
    return sandbox


class _Refused(EngineUnavailable):
    """The module gave no decision; the child is well."""


@dataclass(slots=True)
class _Child:
    """One process, used by one thread at a time."""

    process: "subprocess.Popen[bytes]" = field(default_factory=lambda: _started())
    loaded: set[str] = field(default_factory=set)
    is_new: bool = True

    def decide(self, action: str, source: str, facts: Mapping[str, object], budget_ms: int) -> object:
        """Return the decision document; build the module first where this child has not yet."""
        key = sha256_hex(f"{action}\0{source}".encode())
        if key not in self.loaded:
            load = {"do": "load", "key": key, "action": action, "source": source, "seconds": BUILD_SECONDS}
            self._ask(load, START_SECONDS if self.is_new else 2 * BUILD_SECONDS)
            self.is_new = False
            self.loaded.add(key)
        message = {"do": "decide", "key": key, "facts": facts, "seconds": budget_ms / 1000}
        return self._ask(message, clock_seconds(budget_ms)).get("document")

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.forget()
        self.process.wait()

    def forget(self) -> None:
        """Close this side of its pipes."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _ask(self, message: Mapping[str, object], seconds: float) -> dict[str, object]:
        """Return the answer to a message. Raises PolicyOverBudget, ProgramRejected, EngineUnavailable."""
        try:
            data = json.dumps(message, allow_nan=False).encode()
        except (ValueError, TypeError) as error:
            raise _Refused(f"A fact cannot be passed on: {error}") from error
        deadline = time.monotonic() + seconds
        try:
            self._send(len(data).to_bytes(LENGTH_BYTES, "big") + data)
            size = int.from_bytes(self._receive(LENGTH_BYTES, deadline), "big")
            answer = json.loads(self._receive(min(size, _MOST_ANSWER_BYTES), deadline))
        except (OSError, EOFError, ValueError) as error:
            raise self._lost() from error
        return _checked(answer)

    def _send(self, data: bytes) -> None:
        if self.process.stdin is None:
            raise EOFError
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def _receive(self, size: int, deadline: float) -> bytes:
        """Return `size` bytes. Raises EOFError at the end, and PolicyOverBudget when the time is up."""
        if self.process.stdout is None:
            raise EOFError
        data = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while len(data) < size:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise PolicyOverBudget("A hand-written rule needed longer than it may take.")
                part = os.read(self.process.stdout.fileno(), size - len(data))
                if not part:
                    raise EOFError
                data += part
        return data

    def _lost(self) -> EngineUnavailable:
        try:
            code = self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = 0
        if code in _OVER_BUDGET:
            return PolicyOverBudget("A hand-written rule needed more time or memory than it may take.")
        return EngineUnavailable("The process that runs hand-written rules ended.")


def _checked(answer: object) -> dict[str, object]:
    match answer:
        case {"memory": True}:
            raise PolicyOverBudget("A hand-written rule needed more memory than it may take.")
        case {"problems": list(problems)}:
            raise ProgramRejected([ProgramProblem(str(name), int(line), str(said)) for name, line, said in problems])
        case {"error": str(said)}:
            raise _Refused(said)
        case dict():
            return answer
    raise _Refused("The process that runs hand-written rules gave no sound answer.")


def _started() -> "subprocess.Popen[bytes]":
    """Start a child without our environment: it gets to know nothing but modules and facts."""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return subprocess.Popen(
        [sys.executable, "-m", "governance.engines.rego_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": paths},
        cwd="/",
    )
