"""The witness over HTTP: `POST /add-checkpoint`, and `GET /healthz` for whoever starts it.

TLS ends at a proxy in front, where it is wanted: requests carry no secrets, and answers are signed.
"""

import logging
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import ClassVar

from governance.transparency.notes import NoteInvalid
from governance.transparency.witness.judge import Answer, Judge

logger = logging.getLogger(__name__)

#: Far more than a checkpoint with 16 signatures and a proof of 63 hashes need.
MAX_BODY_BYTES = 128 * 1024
#: A connection without a request for this long is closed.
IDLE_SECONDS = 30
MAX_CONNECTIONS = 64


class WitnessServer(ThreadingHTTPServer):
    """Answers each connection in a thread of its own; connections past MAX_CONNECTIONS are closed at once."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], judge: Judge) -> None:
        """Listen at `address`; port 0 takes any free one. Raises OSError."""
        self.judge = judge
        self._connections: set[socket] = set()
        self._changing = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Answer a connection in a thread of its own, or close it when MAX_CONNECTIONS are open."""
        with self._changing:
            accepted = isinstance(request, socket) and len(self._connections) < MAX_CONNECTIONS
            if isinstance(request, socket) and accepted:
                self._connections.add(request)
        if accepted:
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Answer the requests of one connection until it is closed."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._changing:
                self._connections.difference_update([request])

    def server_close(self) -> None:
        """Stop listening, and end the connections that clients keep."""
        super().server_close()
        with self._changing:
            for connection in self._connections:
                with suppress(OSError):  # it has just ended by itself
                    connection.shutdown(SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version = "assent-witness"
    sys_version = ""
    timeout: ClassVar[int] = IDLE_SECONDS

    def do_GET(self) -> None:
        """Answer `GET /healthz`."""
        if self.path == "/healthz":
            self._send(Answer(HTTPStatus.OK, "ok\n"))
        else:
            self._send(Answer(HTTPStatus.NOT_FOUND, "There is only add-checkpoint here, by POST.\n"))

    def do_POST(self) -> None:
        """Answer `POST /add-checkpoint` (c2sp.org/tlog-witness)."""
        body = self._body()
        if isinstance(body, Answer):
            self.close_connection = True
            self._send(body)
        elif self.path == "/add-checkpoint":
            self._send(self._judged(body))
        else:
            self._send(Answer(HTTPStatus.NOT_FOUND, "There is only /add-checkpoint here.\n"))

    def _judged(self, body: bytes) -> Answer:
        try:
            return self.server.judge.add_checkpoint(body)
        except (OSError, NoteInvalid):
            logger.exception("A checkpoint could not be looked at.")
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "The witness cannot work; its log says why.\n")

    def _body(self) -> bytes | Answer:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            return Answer(HTTPStatus.LENGTH_REQUIRED, "The request has to state its length.\n")
        if int(length) > MAX_BODY_BYTES:
            return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request has {MAX_BODY_BYTES} bytes at most.\n")
        return self.rfile.read(int(length))

    def _send(self, answer: Answer) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Log an answer through `logging` instead of to the standard error."""
        logger.info("%s %s", self.address_string(), format % args)

    def log_error(self, format: str, *args: object) -> None:
        """Log nothing: answers are logged already, and closing an idle connection is not an error."""
