"""Directories: writable or refused, one holder at a time, old ones cleared, sockets with short paths."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack import places
from scripts.stack.errors import StackError
from scripts.stack.places import (
    ROOT,
    fits_socket,
    fresh_directory,
    make_writable,
    only_user_of,
    release_socket_directory,
    remove_tree,
    socket_directory,
)

HOLD = """
import sys
from pathlib import Path
from scripts.stack.places import only_user_of
with only_user_of(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_missing_directory_is_made(tmp_path: Path) -> None:
    assert make_writable(tmp_path / "a" / "b").is_dir()


def test_a_place_that_cannot_be_written_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match=r"Cannot write to .*file/below: Not a directory"):
        make_writable(tmp_path / "file" / "below")


def test_a_directory_has_one_holder_and_the_refusal_names_it(tmp_path: Path) -> None:
    with (
        only_user_of(tmp_path),
        pytest.raises(StackError, match=f"in use by process {os.getpid()}"),
        only_user_of(tmp_path),
    ):
        pass


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StackError, match=f"process {holder.pid}"), only_user_of(tmp_path):
            pass
        holder.kill()
    with only_user_of(tmp_path):
        assert (tmp_path / places.LOCK_NAME).read_text() == f"{os.getpid()}\n"


def test_only_the_last_directories_are_kept(tmp_path: Path) -> None:
    made = [fresh_directory(tmp_path, keep=10) for _ in range(4)]
    newest = fresh_directory(tmp_path, keep=2)
    assert newest in set(tmp_path.iterdir())
    assert len(list(tmp_path.iterdir())) == 2
    assert len({*made, newest}) == 5


def test_a_directory_in_use_is_kept_however_old(tmp_path: Path) -> None:
    used = fresh_directory(tmp_path, keep=10)
    with only_user_of(used):
        fresh_directory(tmp_path, keep=1)
    assert used.exists()


def test_read_only_evidence_can_be_removed(tmp_path: Path) -> None:
    store = tmp_path / "old" / "worm"
    store.mkdir(parents=True)
    (store / "evidence.json").touch(mode=0o444)
    store.chmod(0o555)
    remove_tree(tmp_path / "old")
    assert not (tmp_path / "old").exists()


def test_removing_follows_no_link_to_a_place_of_others(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    (mine / "link").symlink_to(other)
    remove_tree(mine)
    assert other.exists()


@pytest.mark.parametrize(
    ("directory", "fits"),
    [
        ("/short", True),
        ("/" + "x" * 84, True),  # 85 + "/" + 17 bytes: the last that fits in 103
        ("/" + "x" * 85, False),
        ("/" + "é" * 50, False),
        ("/with space", False),
        ("/with,comma", False),
    ],
)
def test_which_paths_a_socket_can_have(directory: str, fits: bool) -> None:
    assert fits_socket(Path(directory), ".s.PGSQL.5432xxxx") is fits


@pytest.mark.parametrize("name", ["short", "x" * 120, "with space"])
def test_a_socket_can_be_bound_however_long_or_odd_the_path(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    directory = socket_directory(home, ".s.PGSQL.5432")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(directory / ".s.PGSQL.5432"))
    assert directory.stat().st_mode & 0o077 == 0
    assert (home / places.SOCKET_LINK).resolve() == directory.resolve()
    release_socket_directory(home)
    assert not directory.exists()
    assert list(home.iterdir()) == []


def test_the_short_directory_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 120)
    home.mkdir()
    left_behind = socket_directory(home, ".s.PGSQL.5432")
    fresh = socket_directory(home, ".s.PGSQL.5432")
    assert not left_behind.exists()
    assert fresh.exists()
    release_socket_directory(home)
