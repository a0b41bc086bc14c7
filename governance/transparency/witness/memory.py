"""What a witness must never lose: its key, and the last checkpoint that it cosigned for each log.

Both are in one directory. A witness that lost its memory but kept its key could be made to sign a second history, so it
refuses to start: retire it, and run a new one under a new name.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from governance.kernel.canonical import canonical_json
from governance.kernel.durable_files import replace_file
from governance.kernel.errors import Conflict, IntegrityFault
from governance.kernel.json_reading import read_json_object
from governance.kernel.parsing import parse_int, parse_object, parse_text
from governance.transparency.merkle import EMPTY_ROOT, HASH_BYTES

FORMAT = "assent-witness/1"
KEY_FILE = "key.pem"
MEMORY_FILE = "memory.json"
LOCK_FILE = "lock"


class MemoryInUse(Conflict):
    """Another process works with this directory."""

    code = "witness_memory_in_use"


class MemoryUnusable(IntegrityFault):
    """The directory does not hold the whole key and memory of one witness of this name."""

    code = "witness_memory_unusable"


@dataclass(frozen=True, slots=True)
class Seen:
    """The last checkpoint of one log that was cosigned; for a new log, the empty tree."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    note: str = ""


class Memory:
    """The directory of one witness, held by one process until it is closed."""

    def __init__(self, directory: Path, *, name: str, key: Ed25519PrivateKey, seen: Mapping[str, Seen]) -> None:
        """Use `open_memory`, which locks the directory."""
        self.name = name
        self.key = key
        self._path = directory / MEMORY_FILE
        self._seen = dict(seen)
        self._closed = False
        self._changing = threading.Lock()

    def seen(self, origin: str) -> Seen:
        """Return what was cosigned last of the log with that origin."""
        return self._seen.get(origin, Seen())

    def remember(self, origin: str, seen: Seen) -> None:
        """Store `seen` as the last checkpoint of that log, durably when this returns. Raises OSError."""
        with self._changing:
            if self._closed:
                raise OSError(errno.EBADF, "The witness has ended; its memory may be another process's by now")
            changed = {**self._seen, origin: seen}
            replace_file(self._path, _document(self.name, changed), mode=0o600)
            self._seen = changed

    def close(self) -> None:
        """Refuse to store anything from now on. What was stored before is on disk when this returns."""
        with self._changing:
            self._closed = True


@contextmanager
def open_memory(directory: Path, *, name: str) -> Iterator[Memory]:
    """Hold the directory of the witness `name`; on first use it is made, with a new key.

    Raises MemoryInUse, MemoryUnusable, and OSError where the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _held(directory):
        if not (directory / MEMORY_FILE).exists() and not (directory / KEY_FILE).exists():
            # The memory comes first: a start that is cut off between the two leaves one that has seen nothing.
            replace_file(directory / MEMORY_FILE, _document(name, {}), mode=0o600)
        seen = _load_memory(directory / MEMORY_FILE, name)
        if not seen and not (directory / KEY_FILE).exists():
            replace_file(directory / KEY_FILE, _new_key(), mode=0o600)
        memory = Memory(directory, name=name, key=_load_key(directory / KEY_FILE), seen=seen)
        try:
            yield memory
        finally:
            memory.close()


@contextmanager
def _held(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MemoryInUse(f"Another process uses {directory}: a witness runs once.") from error
        yield
    finally:
        os.close(descriptor)


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MemoryUnusable(f"{path} holds no key ({error}): restore it, or retire this witness.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise MemoryUnusable(f"{path} holds another kind of key than Ed25519: restore the right one.")
    return key


def _load_memory(path: Path, name: str) -> dict[str, Seen]:
    try:
        document = read_json_object(path.read_bytes())
        seen = {origin: _seen_from(parse_object(each)) for origin, each in parse_object(document["logs"]).items()}
        known = (document["format"], document["name"])
    except (OSError, ValueError, LookupError) as error:
        raise MemoryUnusable(
            f"{path} cannot be read ({error}). Retire this witness: a key whose memory is gone must not sign again."
        ) from error
    if known != (FORMAT, name):
        raise MemoryUnusable(f"{path} belongs to the witness {known[1]!r}: use that name, or another directory.")
    return seen


def _seen_from(document: Mapping[str, object]) -> Seen:
    root = bytes.fromhex(parse_text(document["root"]))
    seen = Seen(size=parse_int(document["size"]), root=root, note=parse_text(document["note"]))
    if seen.size < 0 or len(seen.root) != HASH_BYTES:
        raise ValueError("a checkpoint in it has no valid size or root")
    return seen


def _document(name: str, seen: Mapping[str, Seen]) -> bytes:
    logs = {origin: {"size": e.size, "root": e.root.hex(), "note": e.note} for origin, e in seen.items()}
    return canonical_json({"format": FORMAT, "name": name, "logs": logs}) + b"\n"
