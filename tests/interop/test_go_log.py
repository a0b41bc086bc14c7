"""The checker itself: it accepts a log as it should be, and names what is wrong with one that is not."""

import json
import struct
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.factories.logs import ORIGIN, WITNESS_NAME, NoteSigner, ToyLog
from tests.factories.merkle import tree_hash
from tests.interop.go_checker import CheckerFailed, GoChecker

SIZE = 300
WIDTH = 256
PARTIAL = f"001.p/{SIZE - WIDTH}"


def inclusion(log: ToyLog, index: int) -> bytes:
    told = {"leaf_hash": _text(log.leaves(SIZE)[index]), "root_hash": _text(log.root(SIZE))}
    return json.dumps({**told, "proof": [_text(each) for each in log.inclusion(index, SIZE)]}).encode()


def consistency(log: ToyLog, first: int) -> bytes:
    told = {"first_root_hash": _text(log.root(first)), "second_root_hash": _text(log.root(SIZE))}
    return json.dumps({**told, "proof": [_text(each) for each in log.consistency(first, SIZE)]}).encode()


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def bundle(entries: list[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def published(log: ToyLog) -> dict[str, bytes]:
    """Return everything that a log of 300 entries serves, by path (c2sp.org/tlog-tiles)."""
    leaves, entries = log.leaves(SIZE), log.entries(SIZE)
    files = {
        "/checkpoint": log.note(SIZE).encode(),
        "/tile/0/000": b"".join(leaves[:WIDTH]),
        f"/tile/0/{PARTIAL}": b"".join(leaves[WIDTH:]),
        "/tile/1/000.p/1": tree_hash(leaves[:WIDTH]),
        "/tile/entries/000": bundle(entries[:WIDTH]),
        f"/tile/entries/{PARTIAL}": bundle(entries[WIDTH:]),
    }
    for index in (0, SIZE // 3, SIZE // 2, SIZE - 1):
        files[f"/proof/inclusion?index={index}&size={SIZE}"] = inclusion(log, index)
    for first in (1, SIZE // 2, SIZE - 1, SIZE):
        files[f"/proof/consistency?first={first}&second={SIZE}"] = consistency(log, first)
    return files


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = files.get(self.path)
            self.send_response(HTTPStatus.NOT_FOUND if found is None else HTTPStatus.OK)
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def log() -> ToyLog:
    return ToyLog()


@pytest.fixture(scope="module")
def files(log: ToyLog) -> dict[str, bytes]:
    return published(log)


def test_a_log_as_it_should_be_is_accepted(go: GoChecker, log: ToyLog, files: dict[str, bytes]) -> None:
    with serving(files) as url:
        found = go.check_log(url, log.signer.log_key.vkey)
    assert found == {
        "origin": ORIGIN,
        "size": SIZE,
        "root": b64encode(log.root(SIZE)).decode(),
        "signers": [ORIGIN],
        "entries": SIZE,
        "tiles": 3,
        "proofs": 8,
    }


def test_witnesses_are_named(go: GoChecker, log: ToyLog, files: dict[str, bytes]) -> None:
    witness = NoteSigner(WITNESS_NAME)
    cosigned = files["/checkpoint"] + witness.cosign(log.text(SIZE), at=1_760_000_000).encode()
    with serving({**files, "/checkpoint": cosigned}) as url:
        found = go.check_log(url, log.signer.log_key.vkey, witness.witness_key.vkey)
    assert found["signers"] == [ORIGIN, WITNESS_NAME]


def test_a_checkpoint_of_another_key_is_refused(go: GoChecker, files: dict[str, bytes]) -> None:
    with serving(files) as url, pytest.raises(CheckerFailed, match="note has no verifiable signatures"):
        go.check_log(url, NoteSigner(ORIGIN).log_key.vkey)


def test_a_checkpoint_of_another_history_is_refused(go: GoChecker, log: ToyLog, files: dict[str, bytes]) -> None:
    other = ToyLog(log.signer, "other").note(SIZE).encode()
    with serving({**files, "/checkpoint": other}) as url, pytest.raises(CheckerFailed, match="inconsistent tile"):
        go.check_log(url, log.signer.log_key.vkey)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/tile/0/000", "inconsistent tile"),
        (f"/tile/0/{PARTIAL}", "inconsistent tile"),
        ("/tile/1/000.p/1", "inconsistent tile"),
        ("/tile/entries/000", r"entry \d+ is not the one in the tree"),
        (f"/tile/entries/{PARTIAL}", r"entry \d+ is not the one in the tree"),
    ],
)
@pytest.mark.parametrize("place", [0.4, 0.8])
def test_one_altered_byte_is_found(
    go: GoChecker, log: ToyLog, files: dict[str, bytes], path: str, said: str, place: float
) -> None:
    data = files[path]
    at = data.index(b"true", int(len(data) * place)) if "entries" in path else int(len(data) * place)
    altered = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    with serving({**files, path: altered}) as url, pytest.raises(CheckerFailed, match=said):
        go.check_log(url, log.signer.log_key.vkey)


OTHER = _text(bytes(32))
INCLUSION = f"/proof/inclusion?index={SIZE // 2}&size={SIZE}"
CONSISTENCY = f"/proof/consistency?first={SIZE // 2}&second={SIZE}"


@pytest.mark.parametrize(
    ("path", "changes", "said"),
    [
        (INCLUSION, {"leaf_hash": OTHER}, "inclusion of 150: leaf or root are others"),
        (INCLUSION, {"root_hash": OTHER}, "inclusion of 150: leaf or root are others"),
        (INCLUSION, {"proof": [OTHER] * 9}, "inclusion of 150: invalid transparency proof"),
        (INCLUSION, {"proof": []}, "inclusion of 150: invalid transparency proof"),
        (CONSISTENCY, {"first_root_hash": OTHER}, "consistency from 150: the roots are others"),
        (CONSISTENCY, {"second_root_hash": OTHER}, "consistency from 150: the roots are others"),
        (CONSISTENCY, {"proof": [OTHER] * 9}, "consistency from 150: invalid transparency proof"),
        (CONSISTENCY, {"proof": []}, "consistency from 150: invalid transparency proof"),
    ],
)
def test_an_altered_proof_is_found(
    go: GoChecker, log: ToyLog, files: dict[str, bytes], path: str, changes: dict[str, object], said: str
) -> None:
    altered = json.dumps({**json.loads(files[path]), **changes}).encode()
    with serving({**files, path: altered}) as url, pytest.raises(CheckerFailed, match=said):
        go.check_log(url, log.signer.log_key.vkey)


@pytest.mark.parametrize("change", ["missing", "short", "long"])
@pytest.mark.parametrize("path", ["/tile/0/000", f"/tile/entries/{PARTIAL}", "/tile/1/000.p/1"])
def test_what_is_not_whole_is_refused(
    go: GoChecker, log: ToyLog, files: dict[str, bytes], path: str, change: str
) -> None:
    altered = {"missing": None, "short": files[path][:-1], "long": files[path] + b"\0"}[change]
    served = {name: data for name, data in {**files, path: altered}.items() if data is not None}
    with serving(served) as url, pytest.raises(CheckerFailed):
        go.check_log(url, log.signer.log_key.vkey)
