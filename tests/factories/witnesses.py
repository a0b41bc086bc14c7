"""Witnesses over HTTP for tests: a real one, and one that answers whatever it is told to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from governance.audit.log.witnesses import Witness
from governance.transparency.witness.judge import Judge
from governance.transparency.witness.logs import WatchedLogs
from governance.transparency.witness.memory import Memory, open_memory
from governance.transparency.witness.server import WitnessServer
from tests.factories.logs import WITNESS_NAME, NoteSigner

HOST = "127.0.0.1"


@dataclass(frozen=True)
class RunningWitness:
    """A witness that serves, with its memory to look into."""

    witness: Witness
    judge: Judge
    memory: Memory

    @property
    def port(self) -> int:
        return int(self.witness.url.rpartition(":")[2])


@contextmanager
def running_witness(directory: Path, *vkeys: str, name: str = WITNESS_NAME, port: int = 0) -> Iterator[RunningWitness]:
    """Serve a witness of the logs with those keys, in a thread of this process."""
    with open_memory(directory, name=name) as memory:
        judge = Judge(memory, WatchedLogs(vkeys).keys_of)
        with WitnessServer((HOST, port), judge) as server, _serving(server):
            yield RunningWitness(Witness(name, f"http://{HOST}:{server.server_port}", judge.key), judge, memory)


@dataclass
class ScriptedWitness:
    """Answers each request in turn by `answers` (status, content type, body), the last one again and again."""

    answers: list[tuple[int, str, bytes]]
    signer: NoteSigner = field(default_factory=lambda: NoteSigner(WITNESS_NAME))
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""
    before: Callable[[], object] = lambda: None

    @property
    def witness(self) -> Witness:
        return Witness(self.signer.name, self.url, self.signer.witness_key)

    def answer(self, body: bytes) -> tuple[int, str, bytes]:
        self.before()
        self.bodies.append(body)
        return self.answers[min(len(self.bodies), len(self.answers)) - 1]


@contextmanager
def scripted_witness(
    *answers: tuple[int, str, bytes], before: Callable[[], object] = lambda: None
) -> Iterator[ScriptedWitness]:
    """Serve a witness that answers as told; `before` is called at each request."""
    scripted = ScriptedWitness(list(answers), before=before)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, content_type, body = scripted.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server, _serving(server):
        scripted.url = f"http://{HOST}:{server.server_port}"
        yield scripted


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
