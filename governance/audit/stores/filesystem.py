"""A WORM store in a directory: the default without an object store that has locks.

What it ensures: an object is never overwritten; it is not deleted before its retention ends; it appears completely or
not at all, and is on disk when `put` returns; bytes are rehashed whenever they are read; while the clock is behind a
time that was seen before, nothing is put or deleted.

What it cannot promise: whoever may write to the directory (root, the owner, the holder of the disk) can change or
remove files, and can set the clock forward past a retention. Verification finds such changes; nothing here prevents
them. Where they must be prevented, use an object store with a lock in compliance mode.

    objects/<key>                the bytes, mode 0444
    retention/<key>/000001.json  what is known of them; a higher number extends the retention
    holds/<key>                  there while the object is under legal hold
    clock                        the latest time seen
    lock, staging/               for writers
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from governance.audit.errors import (
    HoldActive,
    RetentionActive,
    WormKeyInvalid,
    WormObjectAltered,
    WormObjectMissing,
    WormOverwriteRefused,
    WormRetentionInvalid,
    WormUnavailable,
)
from governance.audit.stores.clock import ClockGuard
from governance.audit.stores.preconditions import check_future, check_key
from governance.audit.stores.retention import (
    Retention,
    contradiction,
    key_of,
    listed,
    retention_of,
)
from governance.audit.types import ListedObject, ProbeFinding, WormObject
from governance.kernel.canonical import canonical_json, sha256_hex, timestamp
from governance.kernel.durable_files import create_file, flush_directory, locked, make_directory, read_plain_file


class FilesystemWormStore:
    """The WormStore port over a directory of its own. Safe for several threads and processes of one machine."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._objects = self._root / "objects"
        self._retention = self._root / "retention"
        self._holds = self._root / "holds"
        self._staging = self._root / "staging"
        self._clock = ClockGuard(self._root / "clock")

    def put(self, *, key: str, data: bytes, retain_until: datetime) -> WormObject:
        """Store `data` under `key`; see WormStore.put. An interrupted put is completed by the next put of the key.

        The next put of other bytes is refused; after it, the first bytes can be found and read.
        """
        check_key(key)
        with self._writing() as now:
            check_future(retain_until, now)
            wanted = retention_of(key, data, retain_until, now)
            history = self._history(key)
            if not history and (left := self._left_behind(key)) is not None:
                history = [self._store_retention(retention_of(key, left, retain_until, now), [])]
            if history and not history[-1].same_bytes(wanted):
                raise WormOverwriteRefused(f"Other bytes are stored for ever as {key}.", details={"key": key})
            self._store_bytes(key, data)
            return self._known(self._store_retention(wanted, history))

    def find(self, *, key: str) -> WormObject | None:
        """Return what `retention/` says of a key; see WormStore.find."""
        check_key(key)
        with _reported():
            history = self._history(key)
            return self._known(history[-1]) if history else None

    def listing(self, *, prefix: str = "") -> Iterator[ListedObject]:
        """Yield what `retention/` knows; see WormStore.listing. An interrupted put is not listed."""
        with _reported():
            for directory, _, names in os.walk(self._retention, onerror=_raise):
                key = Path(directory).relative_to(self._retention).as_posix()
                if names and key.startswith(prefix):
                    yield self._listed(key)

    def get(self, *, uri: str, version_id: str) -> bytes:
        """Return the bytes after rehashing them; see WormStore.get."""
        return self._verified(uri, version_id)[1]

    def head(self, *, uri: str, version_id: str) -> WormObject:
        """Return what `retention/` says of the object; see WormStore.head. The bytes are not read."""
        key = key_of(uri)
        with _reported():
            retention = self._current(key, version_id)
            if not self._path(key).exists():
                raise self._missing(key)
            return self._known(retention)

    def verify(self, *, uri: str, version_id: str) -> WormObject:
        """Rehash the stored bytes; see WormStore.verify."""
        return self._known(self._verified(uri, version_id)[0])

    def extend(self, *, uri: str, version_id: str, retain_until: datetime) -> WormObject:
        """Add an entry with a later date; see WormStore.extend."""
        key = key_of(uri)
        with self._writing() as now:
            check_future(retain_until, now)
            current = self._current(key, version_id)
            if retain_until < current.retain_until:
                until = timestamp(current.retain_until)
                raise WormRetentionInvalid(f"{key} is kept until {until}; that can only be extended.")
            wanted = replace(current, retain_until=retain_until)
            return self._known(self._store_retention(wanted, self._history(key)))

    def hold(self, *, uri: str, version_id: str) -> WormObject:
        """Create a file beside the object that prevents its deletion; see WormStore.hold."""
        key = key_of(uri)
        with self._writing() as now:
            current = self._current(key, version_id)
            path = self._holds / key
            if not path.exists():
                self._prepare_directory(path.parent)
                data = canonical_json({"key": key, "version_id": version_id, "held_at": now})
                create_file(path, data, mode=0o444, staging=self._staging)
            return self._known(current)

    def release_hold(self, *, uri: str, version_id: str) -> WormObject:
        """Remove that file; see WormStore.release_hold."""
        key = key_of(uri)
        with self._writing():
            current = self._current(key, version_id)
            path = self._holds / key
            if path.exists():
                path.unlink()
                flush_directory(path.parent)
            return self._known(current)

    def delete(self, *, uri: str, version_id: str) -> None:
        """Delete an object whose retention has ended; see WormStore.delete. An interrupted delete can be repeated."""
        key = key_of(uri)
        with self._writing() as now:
            retention = self._current(key, version_id)
            if self._known(retention).held:
                raise HoldActive(f"{key} is under legal hold.", details={"key": key})
            if now < retention.retain_until:
                until = timestamp(retention.retain_until)
                raise RetentionActive(f"{key} is kept until {until}.", details={"key": key, "retain_until": until})
            self._path(key).unlink(missing_ok=True)
            flush_directory(self._path(key).parent)
            for path in reversed(self._retention_paths(key)):
                path.unlink()
            (self._retention / key).rmdir()
            flush_directory((self._retention / key).parent)

    def probe(self) -> tuple[ProbeFinding, ...]:
        """Check that the directory is writable; see WormStore.probe.

        A directory has no lock to probe: only this class protects its objects.
        """
        self.ready()
        return ()

    def ready(self) -> None:
        """Check that the directory is writable; it is created with the first object."""
        with _reported():
            nearest = next(path for path in (self._root, *self._root.parents) if path.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
            raise WormUnavailable(f"The WORM store cannot be written to: {nearest} is not a directory of this user.")

    @contextmanager
    def _writing(self) -> Iterator[datetime]:
        """Hold the store's lock and yield the time, after checking that it did not go back."""
        with _reported():
            make_directory(self._root)
            with locked(self._root / "lock"):
                now = self._clock.now(used=self._objects.exists())
                self._clear_staging()
                yield now

    def _clear_staging(self) -> None:
        """Remove what killed writers left; the holder of the lock is the only writer."""
        make_directory(self._staging)
        for path in self._staging.iterdir():
            path.unlink()

    def _left_behind(self, key: str) -> bytes | None:
        """Return the bytes of a put that was interrupted before it wrote its metadata."""
        return self._read(key) if os.path.lexists(self._path(key)) else None

    def _store_bytes(self, key: str, data: bytes) -> None:
        path = self._path(key)
        self._prepare_directory(path.parent)
        try:
            create_file(path, data, mode=0o444, staging=self._staging)
        except FileExistsError as error:
            if self._read(key) != data:
                raise WormObjectAltered(f"{path} holds other bytes.", details={"key": key}) from error
            flush_directory(path.parent)

    def _store_retention(self, wanted: Retention, history: list[Retention]) -> Retention:
        if history and wanted.retain_until <= history[-1].retain_until:
            return history[-1]
        entry = replace(wanted, stored_at=history[0].stored_at) if history else wanted
        directory = self._retention / wanted.key
        self._prepare_directory(directory)
        path = directory / f"{len(history) + 1:06}.json"
        create_file(path, entry.to_bytes(), mode=0o444, staging=self._staging)
        return entry

    def _known(self, retention: Retention) -> WormObject:
        return retention.to_object(held=os.path.lexists(self._holds / retention.key))

    def _listed(self, key: str) -> ListedObject:
        try:
            return listed(key, self._history(key)[-1])
        except (WormObjectAltered, IndexError):
            return listed(key, None)

    def _verified(self, uri: str, version_id: str) -> tuple[Retention, bytes]:
        key = key_of(uri)
        with _reported():
            retention = self._current(key, version_id)
            data = self._read(key)
        if len(data) != retention.size or sha256_hex(data) != retention.sha256:
            raise self._altered(key, "its bytes differ from those that were stored")
        return retention, data

    def _current(self, key: str, version_id: str) -> Retention:
        history = self._history(key)
        if not history:
            raise self._missing(key)
        if history[-1].version_id != version_id:
            raise self._altered(key, f"it holds version {history[-1].version_id}, not {version_id}")
        return history[-1]

    def _history(self, key: str) -> list[Retention]:
        try:
            history = [Retention.from_bytes(read_plain_file(path)) for path in self._retention_paths(key)]
            wrong = contradiction(key, history)
        except (ValueError, KeyError, TypeError) as error:
            raise self._altered(key, "its metadata cannot be read") from error
        if wrong:
            raise self._altered(key, wrong)
        return history

    def _retention_paths(self, key: str) -> list[Path]:
        try:
            names = sorted(entry.name for entry in os.scandir(self._retention / key))
        except FileNotFoundError:
            return []
        if names != [f"{number:06}.json" for number in range(1, len(names) + 1)]:
            raise self._altered(key, f"its retention entries are {', '.join(names)}")
        return [self._retention / key / name for name in names]

    def _read(self, key: str) -> bytes:
        try:
            return read_plain_file(self._path(key))
        except FileNotFoundError as error:
            raise self._missing(key) from error
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.EISDIR):
                raise
            raise self._altered(key, "it is not a plain file") from error

    def _path(self, key: str) -> Path:
        return self._objects / key

    def _prepare_directory(self, directory: Path) -> None:
        if not directory.resolve().is_relative_to(self._root.resolve()):
            raise WormKeyInvalid(f"{directory} leads out of the WORM store.")
        make_directory(directory)

    def _missing(self, key: str) -> WormObjectMissing:
        return WormObjectMissing(f"{self._path(key)} is missing.", details={"key": key})

    def _altered(self, key: str, reason: str) -> WormObjectAltered:
        return WormObjectAltered(f"{self._path(key)} was altered: {reason}.", details={"key": key})


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WormUnavailable(f"The WORM store does not work: {error}.") from error
