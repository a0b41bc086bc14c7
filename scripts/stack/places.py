"""Directories of a stack: writable, used by one supervisor at a time, and the old ones cleared away."""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.stack.errors import StackError

ROOT = Path(__file__).resolve().parents[2]
# Where server data and programs go that their system user could not reach in the checkout (root's home is private).
OUTSIDE = Path("/var/lib/assent")
LOCK_NAME = "stack.lock"
SOCKET_LINK = "socket"
# sun_path holds 108 bytes on Linux and 104 on the BSDs and macOS, its final NUL included (unix(7)).
SOCKET_PATH_BYTES = 103
# PostgreSQL reads its socket directories as a list with quotes, so an odd path takes the same way as a long one.
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@")


def make_writable(directory: Path) -> Path:
    """Make the directory where it is missing and return its absolute path. Raises StackError where nothing can be
    written there, whatever the reason (rights, a read-only or full disk)."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"\0" * 4096)
    except OSError as error:
        raise StackError(
            f"Cannot write to {directory}: {error.strerror}; give it a writable disk with room."
        ) from error
    return directory.absolute()


@contextlib.contextmanager
def only_user_of(directory: Path) -> Iterator[None]:
    """Hold the directory for this process. The kernel lets go of the lock when its holder ends, however it ends, so
    none is ever left behind. Raises StackError where another process holds it."""
    with (directory / LOCK_NAME).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise StackError(f"{directory} is in use by process {holder}: end that one first.") from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def fresh_directory(parent: Path, *, keep: int) -> Path:
    """Make a new directory named by time under `parent`, and remove the oldest beyond the last `keep`, the new one
    counted and those in use left alone. Raises StackError where nothing can be written."""
    make_writable(parent)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    fresh = Path(tempfile.mkdtemp(prefix=f"{stamp}-", dir=parent.absolute()))
    fresh.chmod(0o755)
    older = sorted(path for path in parent.iterdir() if path.is_dir() and path.name != fresh.name)
    for old in older[: max(0, len(older) - keep + 1)]:
        with contextlib.suppress(StackError, OSError), only_user_of(old):
            remove_tree(old)
    return fresh


def remove_tree(directory: Path) -> None:
    """Remove the directory and all in it: read-only evidence too, and server data that had to be kept outside."""
    if not directory.is_dir():
        return
    for target in [path.resolve() for path in directory.iterdir() if path.is_symlink()]:
        if OUTSIDE in target.parents:
            shutil.rmtree(target.parent, ignore_errors=True)
    for folder, _, _ in os.walk(directory):
        with contextlib.suppress(OSError):
            Path(folder).chmod(stat.S_IRWXU)
    shutil.rmtree(directory, ignore_errors=True)


def fits_socket(directory: Path, name: str) -> bool:
    """Return whether a Unix socket of that name in that directory has a path that every program accepts."""
    path = str(directory / name)
    return len(os.fsencode(path)) <= SOCKET_PATH_BYTES and PLAIN.issuperset(path)


def socket_directory(home: Path, name: str) -> Path:
    """Return a private directory for a Unix socket of that name: `home/socket`, or where that path is too long or odd
    for a socket, a short one in the system's place for temporary files with `home/socket` linked to it."""
    wanted = home / SOCKET_LINK
    if wanted.is_symlink():  # left behind by an earlier run
        shutil.rmtree(wanted.resolve(), ignore_errors=True)
        wanted.unlink()
    if fits_socket(wanted, name):
        wanted.mkdir(mode=0o700, exist_ok=True)
        return wanted
    short = Path(tempfile.mkdtemp(prefix="assent-"))
    if not fits_socket(short, name):
        short.rmdir()
        short = Path(tempfile.mkdtemp(prefix="assent-", dir="/tmp"))
    wanted.symlink_to(short)
    return short


def release_socket_directory(home: Path) -> None:
    """Remove what `socket_directory` made."""
    wanted = home / SOCKET_LINK
    if wanted.is_symlink():
        shutil.rmtree(wanted.resolve(), ignore_errors=True)
        wanted.unlink()
    else:
        shutil.rmtree(wanted, ignore_errors=True)
