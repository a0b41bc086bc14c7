"""The embedded Valkey: private, kept between starts, and undisturbed by what killed runs leave behind."""

from pathlib import Path

import pytest
import redis

from scripts.stack.errors import StackError
from scripts.stack.valkey import CONFIG_NAME, PID_NAME, EmbeddedValkey


def server_in(home: Path) -> EmbeddedValkey:
    """Return a server that has not been started."""
    return EmbeddedValkey(home / "valkey", log=home / "valkey.log")


def test_it_is_a_valkey_9_on_the_loopback_address_only(home: Path) -> None:
    with server_in(home) as server, redis.Redis.from_url(server.url) as client:
        assert client.info("server")["valkey_version"].startswith("9.")
        assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_nobody_gets_in_without_the_password(home: Path) -> None:
    with server_in(home) as server:
        bare = server.url.split("@")[1]
        with redis.Redis.from_url(f"redis://{bare}") as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_the_password_is_on_no_command_line_and_in_no_readable_file(home: Path) -> None:
    with server_in(home) as server:
        assert server.process is not None
        password = server.url.split("@")[0].split(":")[-1]
        assert password not in " ".join(server.process.spec.command)
        assert (home / "valkey" / CONFIG_NAME).stat().st_mode & 0o077 == 0


def test_a_restart_keeps_address_password_and_messages(home: Path) -> None:
    with server_in(home) as server, redis.Redis.from_url(server.url) as client:
        client.rpush("queue", "message")
        url = server.url
        server.restart()
        assert server.url == url
        assert client.lrange("queue", 0, -1) == [b"message"]


def test_messages_are_kept_between_runs(home: Path) -> None:
    with server_in(home) as server, redis.Redis.from_url(server.url) as client:
        client.rpush("queue", "message")
    with server_in(home) as server, redis.Redis.from_url(server.url) as client:
        assert client.lrange("queue", 0, -1) == [b"message"]


def test_a_server_that_outlived_its_supervisor_is_ended_first(home: Path) -> None:
    outlived = server_in(home)
    outlived.start()
    with server_in(home) as server:
        assert server.is_ready()
        assert outlived.process is not None
        assert not outlived.process.running
    outlived.stop()


@pytest.mark.parametrize("left_behind", ["1\n", "999999999\n", "no number", ""])
def test_a_stale_pid_file_is_no_obstacle(home: Path, left_behind: str) -> None:
    (home / "valkey").mkdir()
    (home / "valkey" / PID_NAME).write_text(left_behind)
    with server_in(home) as server:
        assert server.is_ready()


def test_a_place_that_cannot_be_written_is_named(home: Path) -> None:
    (home / "file").touch()
    with pytest.raises(StackError, match=r"Cannot write to .*/file/valkey"), server_in(home / "file"):
        pass


def test_a_stopped_server_answers_no_more(home: Path) -> None:
    server = server_in(home)
    with server:
        pass
    assert not server.is_ready()
