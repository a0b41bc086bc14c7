"""Pytest plugin: real PostgreSQL and Valkey for one test session, in a directory of its own.

Loaded by `-p tests.servers`, before Django reads its settings: the settings then name servers that are started only
once a test asks for the database or for the `servers` fixture. `DATABASE_URL` and `REDIS_URL` from outside are
honoured; Django makes its own `test_...` database there, so no data of anybody is touched.
"""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts.stack.places import ROOT, fresh_directory, only_user_of, remove_tree
from scripts.stack.postgres import EmbeddedPostgres
from scripts.stack.valkey import EmbeddedValkey

KEPT_SESSIONS = 4


class TestServers:
    """The servers of this session; those given from outside are left alone."""

    __test__ = False

    def __init__(self, directory: Path) -> None:
        """Choose the servers' addresses and put them into the environment; nothing is started."""
        self.directory = directory
        self.postgres: EmbeddedPostgres | None = None
        self.valkey: EmbeddedValkey | None = None
        self._started = False
        if not os.environ.get("DATABASE_URL"):
            self.postgres = EmbeddedPostgres(directory / "postgres", log=directory / "postgres.log", durable=False)
            os.environ["DATABASE_URL"] = self.postgres.url
        if not os.environ.get("REDIS_URL"):
            self.valkey = EmbeddedValkey(directory / "valkey", log=directory / "valkey.log")
            os.environ["REDIS_URL"] = self.valkey.url
        os.environ["ASSENT_DATA_DIR"] = str(directory / "data")
        (directory / "data").mkdir()

    def start(self) -> None:
        """Start what is not started yet and wait until it answers. Raises StackError."""
        wanted = [] if self._started else [server for server in (self.postgres, self.valkey) if server is not None]
        self._started = True
        for server in wanted:
            server.launch()
        for server in wanted:
            server.wait_ready()

    def stop(self) -> None:
        """End what was started."""
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()


KEY = pytest.StashKey[TestServers]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Point the environment at this session's servers before pytest-django loads the settings."""
    cleanup = ExitStack()
    early_config.add_cleanup(cleanup.close)
    directory = fresh_directory(ROOT / "var" / "test", keep=KEPT_SESSIONS)
    cleanup.callback(remove_tree, directory)
    cleanup.enter_context(only_user_of(directory))
    servers = TestServers(directory)
    cleanup.callback(servers.stop)
    early_config.stash[KEY] = servers
