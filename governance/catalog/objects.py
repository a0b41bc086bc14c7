"""Content-addressed object storage over Django's storage API: `storages["objects"]`, a directory or S3.

An object's name is its SHA-256, so that equal bytes are stored once and any change shows. Objects
that are removed individually have their own name.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from governance.catalog.errors import ObjectAltered, ObjectMissing, ObjectStoreUnavailable, UploadTooLarge
from governance.catalog.types import ByteSource, StoredObject
from governance.kernel.canonical import sha256_hex
from governance.kernel.durable_files import flush_directory

CHUNK_BYTES: Final = 256 * 1024
INCOMING: Final = ".incoming"
"""Directory of a local store for incoming uploads; on the same file system, so that storing one is a rename."""


@dataclass(frozen=True, slots=True)
class Received:
    """A stream that was received completely, in a private temporary file."""

    path: Path
    sha256: str
    size: int


class _Movable(File):  # type: ignore[type-arg]  # generic in the stubs only
    """A file that local storage can move into place instead of copying."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file, name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


def object_name(sha256: str) -> str:
    """Return the storage name of the object with this digest."""
    return f"sha256/{sha256[:2]}/{sha256}"


def put_object(stream: ByteSource, *, limit: int, name: str | None = None) -> StoredObject:
    """Store a stream of at most `limit` bytes and return where; storing the same bytes again changes nothing.

    With a `name`, the bytes are stored under it alone, so that removing them leaves equal bytes in place.

    Raises UploadTooLarge as soon as the limit is passed, ObjectAltered when other bytes have that name, and
    ObjectStoreUnavailable. After an error nothing new is in the store.
    """
    with received(stream, limit=limit) as item:
        return store(item, name=name)


@contextmanager
def received(stream: ByteSource, *, limit: int) -> Iterator[Received]:
    """Take in a stream of at most `limit` bytes, to be checked and then passed to `store` or discarded.

    Raises UploadTooLarge as soon as the limit is passed, and ObjectStoreUnavailable.
    """
    with _faults_reported():
        descriptor, name = tempfile.mkstemp(suffix=".part", dir=_incoming_directory(storages["objects"]))
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as target:
            sha256, size = copy_hashed(stream, target, limit=limit)
            with _faults_reported():
                target.flush()
                os.fsync(target.fileno())
        yield Received(path, sha256, size)
    finally:
        path.unlink(missing_ok=True)


def store(item: Received, *, name: str | None = None) -> StoredObject:
    """Move what was received into the store. Raises ObjectAltered and ObjectStoreUnavailable as `put_object` does."""
    storage, name = storages["objects"], name or object_name(item.sha256)
    with _faults_reported():
        if not storage.exists(name):
            with item.path.open("rb") as file:
                kept = storage.save(name, _Movable(file, item.path))
            if kept != name:  # another process stored the same bytes between the two calls
                storage.delete(kept)
        _flush_names(storage, name)
    _check(name, item.sha256)
    return StoredObject(name, item.sha256, item.size)


def open_object(name: str) -> "File[bytes]":
    """Open an object for reading; close it. Raises ObjectMissing, ObjectStoreUnavailable."""
    try:
        with _faults_reported():
            return storages["objects"].open(name, "rb")
    except FileNotFoundError as error:
        raise ObjectMissing("An object that is on record is not in storage.", details={"object": name}) from error


def read_verified(name: str, sha256: str) -> bytes:
    """Return all bytes of an object after hashing them. Raises ObjectAltered, ObjectMissing, ObjectStoreUnavailable."""
    with open_object(name) as file, _faults_reported():
        data: bytes = file.read()
    if sha256_hex(data) != sha256:
        raise _altered(name)
    return data


def copy_hashed(source: ByteSource, target: IO[bytes], *, limit: int) -> tuple[str, int]:
    """Copy a stream and return the SHA-256 of what was copied, in hexadecimal, and its size in bytes.

    Raises UploadTooLarge after more than `limit` bytes, and ObjectStoreUnavailable when they cannot be written;
    what `source.read` raises passes through.
    """
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(min(CHUNK_BYTES, limit - size + 1)):
        size += len(chunk)
        if size > limit:
            raise UploadTooLarge(f"At most {limit} bytes are accepted.", details={"field": "file", "limit": limit})
        digest.update(chunk)
        with _faults_reported():
            target.write(chunk)
    return digest.hexdigest(), size


def _check(name: str, sha256: str) -> None:
    digest = hashlib.sha256()
    with open_object(name) as file, _faults_reported():
        for chunk in file.chunks(CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != sha256:
        raise _altered(name)


def _altered(name: str) -> ObjectAltered:
    return ObjectAltered("A stored object has changed since it was stored.", details={"object": name})


def _incoming_directory(storage: Storage) -> Path | None:
    """Return the directory for incoming uploads; None (the system's temporary one) when the store is remote."""
    if not isinstance(storage, FileSystemStorage):
        return None
    directory = Path(storage.path(INCOMING))
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def _flush_names(storage: Storage, name: str) -> None:
    """Flush the object's name in a local store, and the directories above it, so that they survive a power cut."""
    if not isinstance(storage, FileSystemStorage):
        return
    root = Path(storage.path(""))
    for directory in Path(name).parents:
        flush_directory(root / directory)


@contextmanager
def _faults_reported() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ObjectStoreUnavailable("Object storage cannot be read or written at the moment.") from error
