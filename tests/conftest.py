"""Fixtures of every test."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

import governance.engines  # noqa: F401 - some tests import regopy by itself, which is safe only after this
import tests.effort  # noqa: F401 - sets the profile of generated examples
from governance.kernel import clock
from governance.workflows import keep_alive
from tests.clocks import StandingClock
from tests.database import MigratedDatabase
from tests.marketplaces import Marketplaces
from tests.predicates import signed_statements_checked
from tests.recorded_kinds import recorded_kinds_checked
from tests.servers import KEY, TestServers


@pytest.fixture(autouse=True)
def standing_clock(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let time stand still for the test, which may move it by a clock of its own, unless it is marked `running_clock`:
    other processes and servers have clocks that run."""
    runs = request.node.get_closest_marker("running_clock")
    with nullcontext() if runs else clock.using(StandingClock()):
        yield


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> TestServers:
    """Return the run's PostgreSQL and Valkey, running; for tests that need a broker but no database."""
    found = pytestconfig.stash[KEY]
    found.start()
    return found


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    servers: TestServers,
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """Start the servers before pytest-django makes its test database."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[MigratedDatabase]:
    """Make the test database, and bring it back to what it held then after each test with real transactions.

    Every test begins with an empty ledger: what an installation puts on record of itself is removed.
    """
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM audit_outboxentry")
        migrated = MigratedDatabase()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: migrated.restore())
        yield migrated


@pytest.fixture(scope="session")
def migrated_database(django_db_setup: MigratedDatabase) -> MigratedDatabase:
    """Return the test database, for fixtures that commit what several tests share and clear it away themselves."""
    return django_db_setup


@pytest.fixture(scope="session")
def marketplaces(django_db_setup: MigratedDatabase, tmp_path_factory: pytest.TempPathFactory) -> Marketplaces:
    """Return what gives a test a marketplace, in the database that the test has to itself."""
    return Marketplaces(django_db_setup, lambda: tmp_path_factory.mktemp("marketplace"))


@pytest.fixture(autouse=True)
def jobs_in_a_transaction_are_not_looked_at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the thread that looks at a job at work from looking where the test's transaction hides the job from it."""
    if "transactional_db" not in request.fixturenames:
        monkeypatch.setattr(keep_alive, "LOOK_SECONDS", 3600.0)


@pytest.fixture(autouse=True)
def statements_fit_their_schemas(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold every statement that a test signs against the schema of its predicate, unless the test is about odd ones."""
    odd = request.node.get_closest_marker("odd_statements")
    with nullcontext() if odd else signed_statements_checked():
        yield


@pytest.fixture(scope="session", autouse=True)
def kinds_are_declared() -> Iterator[None]:
    """Hold every entry that a test records against the declared kinds."""
    with recorded_kinds_checked():
        yield
