"""Reaching behind the triggers that guard history, to play the intruder."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

_GUARDED = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'assent_refuse_change'::regproc"


@contextmanager
def guards_lifted() -> Iterator[None]:
    """Let rows of append-only tables be changed inside the block, as only the tables' owner can."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
        cursor.execute(_GUARDED)
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
