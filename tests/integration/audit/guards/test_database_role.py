"""Production refuses to work as somebody who could rewrite history."""

from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import Settings

from governance.audit.guards.database_role import complaints
from governance.audit.guards.privileges import RoleFacts, grant_rights
from governance.audit.models import LedgerEntry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def another() -> Iterator[BaseDatabaseWrapper]:
    """Return a second connection to the test database, not yet made."""
    copy = connection.copy()
    yield copy
    copy.close()


@pytest.fixture
def production(settings: Settings) -> None:
    settings.ASSENT_DATABASE_ROLE = "application"


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(("role", "reason"), [("assent", "owns the tables"), ("postgres", "is a superuser")])
def test_powerful_role_is_refused_on_connecting(another: BaseDatabaseWrapper, role: str, reason: str) -> None:
    another.settings_dict["USER"] = role

    with pytest.raises(ImproperlyConfigured, match=reason):
        another.ensure_connection()

    assert another.connection is None


@pytest.fixture
def granted() -> None:
    grant_rights("assent_app")


@pytest.mark.usefixtures("granted", "production")
def test_limited_role_works(another: BaseDatabaseWrapper) -> None:
    another.settings_dict["USER"] = "assent_app"

    with another.cursor() as cursor:
        cursor.execute("SELECT current_user, count(*) FROM audit_ledgerentry")
        assert cursor.fetchone() == ("assent_app", LedgerEntry.objects.count())


@pytest.mark.parametrize("role", ["owner", "any"])
def test_migrations_and_development_may_be_the_owner(
    another: BaseDatabaseWrapper, settings: Settings, role: str
) -> None:
    settings.ASSENT_DATABASE_ROLE = role

    another.ensure_connection()

    assert another.is_usable()
    assert "default" in connections


def test_each_complaint_says_what_to_do() -> None:
    owner = list(complaints(RoleFacts("assent", superuser=False, owns_tables=True, changes_history=())))
    loose = list(complaints(RoleFacts("app", superuser=False, owns_tables=False, changes_history=("a", "b"))))

    assert "database grant --role" in owner[0]
    assert [line.split("change ")[1].split(".")[0] for line in loose] == ["a", "b"]
    assert list(complaints(RoleFacts("app", superuser=False, owns_tables=False, changes_history=()))) == []
