"""Files that are either whole or absent, also after a power cut.

Every function flushes the file and then its directory, because a name that was never flushed may vanish with its file.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from governance.kernel.ids import new_token


def replace_file(path: Path, data: bytes, *, mode: int) -> None:
    """Put `data` at `path`, in place of what was there. Readers see the old bytes or the new ones. Raises OSError."""
    with _staged(path.parent, data, mode=mode) as temporary:
        temporary.replace(path)
    flush_directory(path.parent)


def create_file(path: Path, data: bytes, *, mode: int, staging: Path) -> None:
    """Put `data` at `path` unless something is there already: then FileExistsError, and nothing has changed.

    The bytes are written in the directory `staging`, which must be on the same file system, and then linked to their
    name: unlike a rename, a link never takes the place of an existing file. Raises OSError for anything else.
    """
    with _staged(staging, data, mode=mode) as temporary:
        os.link(temporary, path)
    flush_directory(path.parent)


def make_directory(path: Path) -> None:
    """Make a directory and those above it, each of them durable. Raises OSError."""
    if not path.is_dir():
        make_directory(path.parent)
        path.mkdir(exist_ok=True)
        flush_directory(path.parent)


def read_plain_file(path: Path) -> bytes:
    """Return the bytes of a file that is not a symbolic link. Raises OSError."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as stream:
        return stream.read()


def flush_directory(path: Path) -> None:
    """Make the names in the directory `path` durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path` exclusively among all threads and processes of this machine. Waits. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _staged(directory: Path, data: bytes, *, mode: int) -> Iterator[Path]:
    path = directory / f".{new_token(12)}.tmp"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        yield path
    finally:
        path.unlink(missing_ok=True)
