"""A KMS server for tests: moto's, as a process of its own that is spoken to over HTTP.

What it is not: AWS. It has no Ed25519 keys, no eventual consistency, no permissions; see docs/operations/keys.md.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

from governance.keys.kms import kms_client

REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
SECONDS_TO_START = 30


@contextmanager
def kms_server() -> Iterator[str]:
    """Start a server on a free port and return its address; it is stopped by its process id."""
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = os.environ | CREDENTIALS
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def client_of(endpoint: str) -> Any:
    """Return a client for the server at `endpoint`."""
    return kms_client(region=REGION, endpoint=endpoint)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while not _answers(port):
        assert time.monotonic() < end, "the KMS server does not start"
        time.sleep(0.1)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/moto-api/data.json")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True
