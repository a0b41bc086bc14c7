"""Pytest plugin: real PostgreSQL and Valkey for one test run, in a directory of its own.

Loaded by `-p tests.servers`, before Django reads its settings: the settings then name servers that are started only
once a test asks for the database or for the `servers` fixture. `DATABASE_URL` and `REDIS_URL` from outside are
honoured; Django makes its own `test_...` database there, so no data of anybody is touched.

In a parallel run (`-n`) the process at the terminal owns the servers and starts them before its workers, which find
them in the environment. Each worker has a PostgreSQL database (`test_..._gw0`, by pytest-django), a Valkey database
and a data directory of its own. A worker that crashes takes nothing along, and the one that replaces it goes on.
"""

import os
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scripts.stack.errors import StackError
from scripts.stack.places import ROOT, fresh_directory, only_user_of, remove_tree
from scripts.stack.postgres import EmbeddedPostgres
from scripts.stack.supervisor import ending_signals
from scripts.stack.valkey import EmbeddedValkey

KEPT_RUNS = 4
#: Every worker and every thread of a test may hold some.
CONNECTIONS = 400
#: A number for each worker, and for those that replace a crashed one.
VALKEY_DATABASES = 128


class TestServers:
    """The servers of this run; those given from outside are left alone."""

    __test__ = False

    def __init__(self, directory: Path) -> None:
        """Choose the servers' addresses and put them into the environment; nothing is started."""
        self.directory = directory
        self.postgres: EmbeddedPostgres | None = None
        self.valkey: EmbeddedValkey | None = None
        self._started = False
        if not os.environ.get("DATABASE_URL"):
            self.postgres = EmbeddedPostgres(
                directory / "postgres", log=directory / "postgres.log", durable=False, max_connections=CONNECTIONS
            )
            os.environ["DATABASE_URL"] = self.postgres.url
        if not os.environ.get("REDIS_URL"):
            self.valkey = EmbeddedValkey(directory / "valkey", log=directory / "valkey.log", databases=VALKEY_DATABASES)
            os.environ["REDIS_URL"] = self.valkey.url
        _keep_data_in(directory / "data")

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
    """Point the environment at this run's servers before pytest-django loads the settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        early_config.stash[KEY] = _servers_of_worker(worker)
        return
    cleanup = ExitStack()
    early_config.add_cleanup(cleanup.close)
    directory = fresh_directory(ROOT / "var" / "test", keep=KEPT_RUNS)
    cleanup.callback(remove_tree, directory)
    cleanup.enter_context(only_user_of(directory))
    servers = TestServers(directory)
    cleanup.callback(servers.stop)
    early_config.stash[KEY] = servers


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Start the servers before the workers that share them, and end all of it in good order when told to (SIGTERM)."""
    signals = ExitStack()
    signals.enter_context(ending_signals())
    config.add_cleanup(signals.close)
    try:
        config.stash[KEY].start()
    except StackError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.INTERNAL_ERROR)


def _servers_of_worker(worker: str) -> TestServers:
    """Return the servers that the worker finds in its environment, none of which it owns."""
    shared = urlsplit(os.environ["REDIS_URL"])
    os.environ["REDIS_URL"] = shared._replace(path=f"/{worker.removeprefix('gw')}").geturl()
    run = Path(os.environ["ASSENT_DATA_DIR"]).parent
    directory = run / worker
    directory.mkdir()
    return TestServers(directory)


def _keep_data_in(directory: Path) -> None:
    os.environ["ASSENT_DATA_DIR"] = str(directory)
    directory.mkdir()
