"""A KMS server for tests: moto's, as a process of its own, reached over HTTP.

What it is not: AWS. It has no Ed25519 keys, no eventual consistency, no permissions; see docs/operations/keys.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from governance.keys.kms import KmsClient, kms_client
from tests.moto import MotoServer

REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


@contextmanager
def kms_server() -> Iterator[str]:
    """Start a server on a free port and return its address."""
    with TemporaryDirectory() as directory, MotoServer(Path(directory), env=CREDENTIALS) as server:
        yield server.endpoint


def client_of(endpoint: str) -> KmsClient:
    """Return a client for the server at `endpoint`."""
    return kms_client(region=REGION, endpoint=endpoint)
