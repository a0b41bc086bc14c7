from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

from governance.audit.guards.triggers import append_only, frozen_columns, not_updated

pytestmark = pytest.mark.django_db


@pytest.fixture
def cursor() -> Iterator[CursorWrapper]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE scratch (id int, fixed int, free int)")
        cursor.execute("INSERT INTO scratch VALUES (1, 1, NULL)")
        yield cursor


def refused(cursor: CursorWrapper, *statements: str) -> None:
    for statement in statements:
        with pytest.raises(DatabaseError, match="table scratch is append-only"), transaction.atomic():
            cursor.execute(statement)


def test_append_only_table_takes_new_rows_and_no_change(cursor: CursorWrapper) -> None:
    operation = append_only("scratch")
    cursor.execute(operation.sql)

    cursor.execute("INSERT INTO scratch VALUES (2, 2, 2)")
    refused(cursor, "UPDATE scratch SET free = 1", "DELETE FROM scratch", "TRUNCATE scratch")

    cursor.execute(operation.reverse_sql)
    cursor.execute("TRUNCATE scratch")


def test_frozen_columns_stay_while_others_may_change(cursor: CursorWrapper) -> None:
    operation = frozen_columns("scratch", ["id", "fixed"])
    cursor.execute(operation.sql)

    cursor.execute("UPDATE scratch SET free = 7")
    cursor.execute("UPDATE scratch SET fixed = fixed")
    refused(cursor, "UPDATE scratch SET fixed = 2", "UPDATE scratch SET id = NULL", "DELETE FROM scratch")
    refused(cursor, "TRUNCATE scratch")

    cursor.execute(operation.reverse_sql)
    cursor.execute("TRUNCATE scratch")


def test_rows_that_come_and_go_stay_as_they_are(cursor: CursorWrapper) -> None:
    operation = not_updated("scratch")
    cursor.execute(operation.sql)

    refused(cursor, "UPDATE scratch SET free = 1")
    cursor.execute("DELETE FROM scratch")

    cursor.execute("INSERT INTO scratch VALUES (2, 2, 2)")
    cursor.execute(operation.reverse_sql)
    cursor.execute("UPDATE scratch SET free = 1")
