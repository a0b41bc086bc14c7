"""Fixtures of every test."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations

import governance.engines  # noqa: F401 - some tests import regopy by itself, which is safe only after this
from tests.history import flush_past_guards
from tests.predicates import signed_statements_checked
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


@pytest.fixture(scope="session", autouse=True)
def history_cleared_between_tests() -> Iterator[None]:
    """Let a test with real transactions be cleared away, though the database refuses to truncate history."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_past_guards)
        yield


@pytest.fixture(autouse=True)
def statements_fit_their_schemas(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold every statement that a test signs against the schema of its predicate, unless the test is about odd ones."""
    odd = request.node.get_closest_marker("odd_statements")
    with nullcontext() if odd else signed_statements_checked():
        yield
