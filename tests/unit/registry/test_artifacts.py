import io
import multiprocessing
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from governance.catalog.errors import ObjectMissing
from governance.catalog.objects import object_name, put_object
from governance.registry.artifacts import open_verified
from governance.registry.errors import ArtifactAltered, ArtifactCacheUnavailable
from governance.registry.models import ModelVersion

WEIGHTS = bytes(range(256)) * 1000


@pytest.fixture
def version(object_root: Path, cache: Path) -> ModelVersion:
    stored = put_object(io.BytesIO(WEIGHTS), limit=len(WEIGHTS))
    return ModelVersion(artifact_object=stored.name, artifact_sha256=stored.sha256, artifact_size=stored.size)


def tamper(path: Path, data: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(data)


def flipped(data: bytes) -> bytes:
    return data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]


def test_the_copy_is_whole_private_and_read_only(version: ModelVersion, cache: Path) -> None:
    path = open_verified(version)

    assert path == cache / version.artifact_sha256
    assert path.read_bytes() == WEIGHTS
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert list(cache.iterdir()) == [path]


def test_the_copy_is_made_once(version: ModelVersion, object_root: Path) -> None:
    first = open_verified(version).stat()
    (object_root / version.artifact_object).unlink()

    assert open_verified(version).stat().st_ino == first.st_ino


def test_a_copy_that_was_altered_is_refused_kept_aside_and_replaced(version: ModelVersion) -> None:
    path = open_verified(version)
    tamper(path, flipped(WEIGHTS))

    with pytest.raises(ArtifactAltered) as refusal:
        open_verified(version)

    assert refusal.value.error_code == "artifact_altered"
    assert refusal.value.details["artifact_sha256"] == version.artifact_sha256
    assert not path.exists()
    assert path.with_suffix(".altered").read_bytes() == flipped(WEIGHTS)
    assert open_verified(version).read_bytes() == WEIGHTS


@pytest.mark.parametrize("other", [b"", WEIGHTS[:-1], WEIGHTS + b"x", flipped(WEIGHTS)])
def test_an_altered_object_never_becomes_a_copy(
    version: ModelVersion, object_root: Path, cache: Path, other: bytes
) -> None:
    tamper(object_root / version.artifact_object, other)

    with pytest.raises(ArtifactAltered):
        open_verified(version)
    with pytest.raises(ArtifactAltered):
        open_verified(version)

    assert list(cache.iterdir()) == []


def test_a_link_in_place_of_the_copy_is_refused(version: ModelVersion, tmp_path: Path) -> None:
    path = open_verified(version)
    (tmp_path / "elsewhere").write_bytes(WEIGHTS)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ArtifactAltered):
        open_verified(version)


def test_a_missing_object_is_named(object_root: Path, cache: Path) -> None:
    name = object_name("0" * 64)

    with pytest.raises(ObjectMissing):
        open_verified(ModelVersion(artifact_object=name, artifact_sha256="0" * 64, artifact_size=1))

    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("mode", [0o750, 0o702, 0o777])
def test_a_cache_that_is_open_to_others_is_not_used(version: ModelVersion, cache: Path, mode: int) -> None:
    open_verified(version)
    cache.chmod(mode)

    with pytest.raises(ArtifactCacheUnavailable):
        open_verified(version)


def test_a_cache_that_is_no_directory_is_not_used(version: ModelVersion, cache: Path, tmp_path: Path) -> None:
    cache.parent.mkdir()
    cache.symlink_to(tmp_path)
    with pytest.raises(ArtifactCacheUnavailable):
        open_verified(version)

    cache.unlink()
    cache.write_bytes(b"a file")
    with pytest.raises(ArtifactCacheUnavailable):
        open_verified(version)


def test_threads_at_once_get_one_whole_copy(version: ModelVersion, cache: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: open_verified(version), range(24)))

    assert {path.read_bytes() for path in paths} == {WEIGHTS}
    assert set(cache.iterdir()) == paths


def test_processes_at_once_get_one_whole_copy(version: ModelVersion, cache: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        paths = set(pool.map(open_verified, [version] * 8))

    assert {path.read_bytes() for path in paths} == {WEIGHTS}
    assert set(cache.iterdir()) == paths
