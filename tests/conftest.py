"""Fixtures of every test."""

import pytest

from tests.servers import KEY, TestServers


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> TestServers:
    """Return the session's PostgreSQL and Valkey, running; for tests that need a broker but no database."""
    found = pytestconfig.stash[KEY]
    found.start()
    return found


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    servers: TestServers,
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """Start the servers before pytest-django makes its test database."""
