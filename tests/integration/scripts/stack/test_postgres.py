"""The embedded PostgreSQL: private, durable, and undisturbed by what killed runs leave behind."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from scripts.stack import places, postgres_files
from scripts.stack.errors import StackError
from scripts.stack.postgres import EmbeddedPostgres
from scripts.stack.service_user import ServiceUser, postgres_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another system user")


def server_in(home: Path, *, durable: bool = False) -> EmbeddedPostgres:
    """Return a server that has not been started."""
    return EmbeddedPostgres(home / "postgres", log=home / "postgres.log", durable=durable)


def ask(server: EmbeddedPostgres, question: str) -> object:
    """Return the first value of the answer, committed."""
    with psycopg.connect(server.url) as connection:
        row = connection.execute(question).fetchone()
        assert row is not None
        return row[0]


def keep_seven(server: EmbeddedPostgres) -> None:
    """Store a row to be found again."""
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")


def test_it_is_a_private_postgresql_18_with_an_owner_that_is_no_superuser(home: Path) -> None:
    with server_in(home) as server:
        assert int(str(ask(server, "SHOW server_version_num"))) // 10_000 == 18
        assert ask(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert ask(server, "SHOW listen_addresses") == ""
        assert ask(server, "SHOW max_connections") == "100"
        assert ask(server, "SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
        assert server.prepare().stat().st_mode & 0o077 == 0


def test_it_is_durable_by_default(home: Path) -> None:
    with server_in(home, durable=True) as server:
        assert (ask(server, "SHOW fsync"), ask(server, "SHOW synchronous_commit")) == ("on", "on")


def test_data_is_kept_between_starts(home: Path) -> None:
    with server_in(home) as server:
        keep_seven(server)
    with server_in(home) as server:
        assert ask(server, "SELECT n FROM kept") == 7


def test_the_url_is_known_before_the_start_and_dead_after_the_stop(home: Path) -> None:
    server = server_in(home)
    url = server.url
    with server:
        assert server.url == url
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert not list(home.rglob("*.s.PGSQL*"))


@pytest.mark.parametrize("name", ["x" * 120, "with space, comma and 'quote'"])
def test_a_long_or_odd_path_works(home: Path, name: str) -> None:
    with server_in(home / name) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_killed_server_starts_again_with_its_data(home: Path) -> None:
    server = server_in(home)
    with server:
        keep_seven(server)
        assert server.process is not None
        server.process.kill()
        assert (home / "postgres" / "cluster" / "postmaster.pid").exists()
    with server:
        assert ask(server, "SELECT n FROM kept") == 7


def test_a_pid_file_that_names_a_living_stranger_is_no_obstacle(home: Path) -> None:
    with server_in(home):
        pass
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        cluster = home / "postgres" / "cluster"
        (cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster}\n0\n5432\n\n\n0 0\nready\n")
        with server_in(home) as server:
            assert ask(server, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_a_server_that_outlived_its_supervisor_is_ended_first(home: Path) -> None:
    outlived = server_in(home)
    outlived.start()
    with server_in(home) as server:
        assert ask(server, "SELECT 1") == 1
        assert outlived.process is not None
        assert not outlived.process.running


def test_a_half_made_cluster_is_made_anew(home: Path) -> None:
    server = server_in(home)
    server.prepare()
    half = home / "postgres" / "cluster.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with server:
        assert ask(server, "SELECT 1") == 1


def test_data_of_another_version_is_refused_and_kept(home: Path) -> None:
    with server_in(home):
        pass
    (home / "postgres" / "cluster" / "PG_VERSION").write_text("17\n")
    with pytest.raises(StackError, match="holds data of PostgreSQL 17, not 18: move it away"), server_in(home):
        pass
    assert (home / "postgres" / "cluster" / "base").exists()


def test_a_place_that_cannot_be_written_is_named(home: Path) -> None:
    (home / "file").touch()
    with pytest.raises(StackError, match=r"Cannot write to .*/file/postgres"), server_in(home / "file"):
        pass


@as_root
def test_root_hands_the_server_to_a_system_user(home: Path) -> None:
    user = postgres_user()
    assert user is not None
    with server_in(home) as server:
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        assert (process.uids().effective, process.gids().effective) == (user.uid, user.gid)
        assert set(process_groups(process.pid)) <= {user.gid}


@as_root
def test_root_in_a_private_directory_keeps_it_private(home: Path) -> None:
    home.chmod(0o700)
    with server_in(home) as server:
        keep_seven(server)
    with server_in(home) as server:
        assert ask(server, "SELECT n FROM kept") == 7
    assert home.stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_that_the_system_user_cannot_reach_are_copied_for_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_files, "OUTSIDE", home / "outside")
    monkeypatch.setattr(postgres_files, "can_use", lambda user, path: False)
    user = ServiceUser(name="nobody", uid=65534, gid=65534)
    copied = postgres_files.programs(user)
    assert copied.is_relative_to(home / "outside")
    for name in ("postgres", "initdb"):  # the second needs a library of the wheel
        command = [copied / name, "--version"]
        version = subprocess.run(command, user=user.uid, group=user.gid, cwd="/", capture_output=True, check=True)
        assert version.stdout.startswith(f"{name} (PostgreSQL) 18".encode())
    assert postgres_files.programs(user) == copied


@as_root
def test_data_kept_outside_is_removed_with_its_directory_or_after_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = ServiceUser(name="nobody", uid=65534, gid=65534)
    monkeypatch.setattr(postgres_files, "OUTSIDE", home / "outside")
    monkeypatch.setattr(places, "OUTSIDE", home / "outside")
    monkeypatch.setattr(postgres_files, "can_use", lambda user, path: False)
    removed, lost, kept = (postgres_files.home_for(user, home / name / "postgres") for name in ("a", "b", "c"))
    places.remove_tree(home / "a")
    shutil.rmtree(home / "b")
    assert (removed.exists(), lost.exists(), kept.exists()) == (False, True, True)
    postgres_files.home_for(user, home / "d" / "postgres")
    assert (lost.exists(), kept.exists()) == (False, True)


def process_groups(pid: int) -> list[int]:
    """Return the supplementary groups of a process (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return [int(group) for line in status if line.startswith("Groups:") for group in line.split()[1:]]
