"""A proxy before a real S3 server that behaves as Ceph RGW 20 does, and can let go of what it should keep.

There is no Ceph here. What RGW does differently from Amazon S3 and SeaweedFS is imitated: it looks at the SHA-256 of
an upload only where the request names the algorithm (`x-amz-sdk-checksum-algorithm`), and otherwise stores the bytes as
they come.
"""

import base64
import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from scripts.stack.ports import HOST
from tests.s3 import CREDENTIALS, REGION, S3Server

ALGORITHM, CHECKSUM = "x-amz-sdk-checksum-algorithm", "x-amz-checksum-sha256"
_OWN = {"host", "authorization", "connection", "expect", "x-amz-date", "x-amz-content-sha256", "content-length"}
_RETENTION = {"Mode": "x-amz-object-lock-mode", "RetainUntilDate": "x-amz-object-lock-retain-until-date"}
#: What a server may do that it must not, and the part of a retention that it gives in on.
GIVES_IN = {"shortens": "RetainUntilDate", "downgrades": "Mode"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    backend: str
    fault: str
    granted: dict[str, str]

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _OWN}
        if ALGORITHM not in headers:
            headers.pop(CHECKSUM, None)
        if self.fault == "takes damaged bytes" and CHECKSUM in headers:
            headers[CHECKSUM] = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if self.fault == "deletes" and self.command == "DELETE":
            return self._answer(204, {}, b"")
        if self.fault in GIVES_IN and "retention" in urlsplit(self.path).query.split("&"):
            part = GIVES_IN[self.fault]
            wanted = re.search(rf"<{part}>([^<]+)<".encode(), body)
            self.granted[_RETENTION[part]] = wanted[1].decode() if wanted else ""
            return self._answer(200, {}, b"")
        return self._answer(*self._asked(headers, body))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward  # noqa: N815 - names of the library

    def _asked(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        request = AWSRequest(method=self.command, url=self.backend + self.path, data=body, headers=headers)
        known = Credentials(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
        S3SigV4Auth(known, "s3", REGION).add_auth(request)
        connection = HTTPConnection(urlsplit(self.backend).netloc, timeout=60)
        try:
            connection.request(self.command, self.path, body=body, headers=dict(request.headers.items()))
            answer = connection.getresponse()
            return answer.status, {**dict(answer.getheaders())}, answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        shown = {name.lower(): value for name, value in headers.items()}
        if self.command == "HEAD" and _RETENTION["Mode"] in shown:
            shown |= {name: value for name, value in self.granted.items() if value}
        shown.pop("transfer-encoding", None)
        length = shown.pop("content-length", str(len(body))) if self.command == "HEAD" else str(len(body))
        self.send_response(status)
        for name, value in (shown | {"content-length": length}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def log_message(self, *given: object) -> None:
        """Log nothing."""


@contextmanager
def rgw(server: S3Server, *, fault: str = "") -> Iterator[S3Server]:
    """Run the proxy before a server, with one of the faults "takes damaged bytes", "deletes" or those of GIVES_IN."""
    handler = type("Handler", (_Handler,), {"backend": server.endpoint, "fault": fault, "granted": {}})
    proxy = ThreadingHTTPServer((HOST, 0), handler)
    proxy.daemon_threads = True
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield S3Server(endpoint=f"http://{HOST}:{proxy.server_port}")
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
