import threading
from pathlib import Path

import pytest

from governance.kernel.durable_files import create_file, flush_directory, locked, replace_file


def test_replace_file_swaps_the_whole_content(tmp_path: Path) -> None:
    path = tmp_path / "file"

    replace_file(path, b"first", mode=0o600)
    replace_file(path, b"second", mode=0o640)

    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_create_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "file"
    staging = tmp_path / "staging"
    staging.mkdir()

    create_file(path, b"first", mode=0o444, staging=staging)
    with pytest.raises(FileExistsError):
        create_file(path, b"second", mode=0o444, staging=staging)

    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o444
    assert list(staging.iterdir()) == []


def test_flush_directory_needs_a_directory(tmp_path: Path) -> None:
    flush_directory(tmp_path)
    with pytest.raises(NotADirectoryError):
        flush_directory(Path(__file__))


def test_lock_lets_one_thread_in_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    seen: list[int] = []

    def work() -> None:
        for _ in range(20):
            with locked(tmp_path / "lock"):
                inside.append(1)
                seen.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(seen) == {1}
    assert len(seen) == 80
