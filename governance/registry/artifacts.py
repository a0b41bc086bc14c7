"""Model artifacts on a worker's own disk, verified each time before one is loaded."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from django.conf import settings

from governance.catalog.errors import UploadTooLarge
from governance.catalog.objects import copy_hashed, open_object
from governance.kernel.durable_files import flush_directory
from governance.kernel.ids import new_token
from governance.registry.errors import ArtifactAltered, ArtifactCacheUnavailable
from governance.registry.models import ModelVersion

ALTERED_SUFFIX: Final = ".altered"


def open_verified(version: ModelVersion) -> Path:
    """Return the path of a private, read-only copy of a version's artifact whose bytes this call has hashed.

    The copy is kept in DATA_DIR/artifacts under its SHA-256, and fetched from object storage if missing. A copy that
    was altered is set aside (`.altered`) for inspection, and the next call fetches a fresh one. Safe to call from any
    number of threads and processes. Raises ArtifactAltered, ArtifactCacheUnavailable, ObjectMissing and
    ObjectStoreUnavailable.
    """
    with _faults_reported():
        path = _private_directory() / version.artifact_sha256
        try:
            intact = _hash_file(path) == version.artifact_sha256
        except FileNotFoundError:
            _fetch(version, path)
            return path
        if intact:
            return path
        with suppress(FileNotFoundError):  # another process set it aside
            path.replace(path.with_suffix(ALTERED_SUFFIX))
    raise _altered(version, "The copy of a model artifact on this machine was altered.")


def _fetch(version: ModelVersion, path: Path) -> None:
    temporary = path.with_name(f".{new_token(12)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target, open_object(version.artifact_object) as source:
            try:
                sha256, _ = copy_hashed(source, target, limit=version.artifact_size)
            except UploadTooLarge as error:
                raise _altered(version, "A stored model artifact is larger than the one registered.") from error
            target.flush()
            os.fchmod(target.fileno(), 0o400)
            os.fsync(target.fileno())
        if sha256 != version.artifact_sha256:
            raise _altered(version, "A stored model artifact differs from the one that was registered.")
        temporary.replace(path)
        flush_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _hash_file(path: Path) -> str:
    """Return the SHA-256 of a regular file in hexadecimal, or an empty string for anything else. Raises OSError."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _private_directory() -> Path:
    """Return the directory of artifacts after checking that nobody else may read or write it."""
    directory = Path(settings.DATA_DIR) / "artifacts"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        message = f"The directory {directory} must belong to the worker's user alone (mode 0700)."
        raise ArtifactCacheUnavailable(message)
    return directory


def _altered(version: ModelVersion, message: str) -> ArtifactAltered:
    return ArtifactAltered(message, details={"version": str(version.id), "artifact_sha256": version.artifact_sha256})


@contextmanager
def _faults_reported() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArtifactCacheUnavailable("The cache of model artifacts cannot be read or written.") from error
