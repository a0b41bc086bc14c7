import hashlib
import io
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from governance.catalog import objects
from governance.catalog.errors import ObjectAltered, ObjectMissing, ObjectStoreUnavailable, UploadTooLarge
from tests.effort import examples

LIMIT = 1_000_000


class Trickle:
    """A source that gives pieces of its own choosing, and remembers how much it gave."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.given = 0
        self._pieces = pieces

    def read(self, size: int, /) -> bytes:
        piece = next(self._pieces, b"")[:size]
        self.given += len(piece)
        return piece


class Torn:
    """A source that breaks off after its first piece, as a client's connection does."""

    def __init__(self) -> None:
        self._pieces = [b"first piece"]

    def read(self, size: int, /) -> bytes:
        try:
            return self._pieces.pop()
        except IndexError:
            raise ConnectionResetError from None


def files_under(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def tamper(path: Path, data: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=examples(40))
@given(pieces=st.lists(st.binary(min_size=1, max_size=2000), max_size=8))
def test_whatever_the_pieces_the_bytes_come_back_under_their_digest(object_root: Path, pieces: list[bytes]) -> None:
    data = b"".join(pieces)

    stored = objects.put_object(Trickle(iter(pieces)), limit=LIMIT)

    assert stored.sha256 == hashlib.sha256(data).hexdigest()
    assert stored.size == len(data)
    assert stored.name == f"sha256/{stored.sha256[:2]}/{stored.sha256}"
    assert objects.read_verified(stored.name, stored.sha256) == data


def test_an_object_is_read_only_and_nothing_else_is_left(object_root: Path) -> None:
    stored = objects.put_object(io.BytesIO(b"a picture"), limit=LIMIT)

    assert files_under(object_root) == [object_root / stored.name]
    assert stat.S_IMODE((object_root / stored.name).stat().st_mode) == 0o440


def test_storing_the_same_bytes_again_changes_nothing(object_root: Path) -> None:
    first = objects.put_object(io.BytesIO(b"a picture"), limit=LIMIT)
    before = (object_root / first.name).stat()

    second = objects.put_object(io.BytesIO(b"a picture"), limit=LIMIT)

    assert second == first
    assert (object_root / first.name).stat().st_ino == before.st_ino
    assert len(files_under(object_root)) == 1


def test_exactly_the_limit_is_taken_in(object_root: Path) -> None:
    assert objects.put_object(io.BytesIO(bytes(100)), limit=100).size == 100


def test_an_endless_stream_is_cut_at_the_limit_and_leaves_nothing(object_root: Path) -> None:
    source = Trickle(iter(lambda: bytes(64 * 1024), None))

    with pytest.raises(UploadTooLarge) as refusal:
        objects.put_object(source, limit=LIMIT)

    assert source.given == LIMIT + 1
    assert refusal.value.error_code == "upload_too_large"
    assert refusal.value.details["field"] == "file"
    assert files_under(object_root) == []


def test_a_source_that_breaks_off_leaves_nothing_and_its_error_passes_through(object_root: Path) -> None:
    with pytest.raises(ConnectionResetError):
        objects.put_object(Torn(), limit=LIMIT)

    assert files_under(object_root) == []


def test_an_upload_that_is_dropped_leaves_nothing(object_root: Path) -> None:
    with objects.received(io.BytesIO(b"a picture"), limit=LIMIT) as item:
        assert item.path.read_bytes() == b"a picture"
        assert stat.S_IMODE(item.path.stat().st_mode) == 0o600

    assert files_under(object_root) == []


def test_altered_bytes_are_refused_on_reading_and_on_storing_again(object_root: Path) -> None:
    stored = objects.put_object(io.BytesIO(b"a picture"), limit=LIMIT)
    tamper(object_root / stored.name, b"A picture")

    with pytest.raises(ObjectAltered) as refusal:
        objects.read_verified(stored.name, stored.sha256)
    assert refusal.value.error_code == "object_altered"
    assert refusal.value.details == {"object": stored.name}
    with pytest.raises(ObjectAltered):
        objects.put_object(io.BytesIO(b"a picture"), limit=LIMIT)


def test_a_missing_object_is_named(object_root: Path) -> None:
    name = objects.object_name("0" * 64)

    with pytest.raises(ObjectMissing) as refusal:
        objects.read_verified(name, "0" * 64)
    assert refusal.value.details == {"object": name}


def test_a_store_that_cannot_be_written_is_unavailable(object_root: Path) -> None:
    object_root.write_bytes(b"a file where the directory should be")

    with pytest.raises(ObjectStoreUnavailable):
        objects.put_object(io.BytesIO(b"a picture"), limit=LIMIT)


def test_many_writers_of_the_same_bytes_leave_one_whole_object(object_root: Path) -> None:
    data = bytes(range(256)) * 4000

    with ThreadPoolExecutor(8) as pool:
        stored = set(pool.map(lambda _: objects.put_object(io.BytesIO(data), limit=2 * LIMIT), range(24)))

    assert len(stored) == 1
    assert files_under(object_root) == [object_root / stored.pop().name]


def test_a_writer_who_was_overtaken_leaves_no_second_object(object_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = objects.put_object(io.BytesIO(b"a picture"), limit=LIMIT)
    looked, exists = iter([False]), FileSystemStorage.exists
    monkeypatch.setattr(FileSystemStorage, "exists", lambda self, name: next(looked, exists(self, name)))

    assert objects.put_object(io.BytesIO(b"a picture"), limit=LIMIT) == stored
    assert files_under(object_root) == [object_root / stored.name]


def test_a_store_without_a_directory_serves_too(settings: Settings) -> None:
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = settings.STORAGES | {"objects": memory}

    stored = objects.put_object(io.BytesIO(b"a picture"), limit=LIMIT)

    assert objects.put_object(io.BytesIO(b"a picture"), limit=LIMIT) == stored
    assert objects.read_verified(stored.name, stored.sha256) == b"a picture"
    with pytest.raises(ObjectMissing):
        objects.open_object(objects.object_name("0" * 64))
