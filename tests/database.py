"""The test database as migrations left it, and the way back to that after a test with real transactions.

Django's own way empties every table, so that tests which count on what migrations put there have to run before.
Here the order of tests does not matter, and only tables that the test wrote to are touched.
"""

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter

from django.db import connection, transaction
from psycopg import sql

_GUARDED = """
    SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'assent_refuse_change'::regproc
"""
_REFERENCES_CHECKED_AT_ONCE = """
    SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
    WHERE contype = 'f' AND NOT condeferrable AND conrelid <> confrelid
"""
_ROWS = sql.SQL("SELECT {name}, md5(string_agg(held::text, '|' ORDER BY held::text)) FROM {table} AS held")
_ANY_ROW = sql.SQL("SELECT {name}, 'some' FROM {table} HAVING count(*) > 0")


class MigratedDatabase:
    """What the tables held once all migrations had run."""

    def __init__(self) -> None:
        """Remember the database as it is now."""
        self._tables = connection.introspection.table_names()
        filled = {table for table, _ in _asked(_ROWS, self._tables) if _ is not None}
        self._digests = dict(_asked(_ROWS, filled))
        self._rows = {table: _copied(table) for table in sorted(filled)}

    def added(self) -> dict[str, bytes]:
        """Return the rows of every table that migrations left empty, as text for COPY, in an order to insert them."""
        others = [table for table in self._tables if table not in self._rows]
        written = {table for table, _ in _asked(_ANY_ROW, others)}
        return {table: _copied(table) for table in _referenced_first(written)}

    def restore(self) -> None:
        """Bring every table back to what it held; the triggers that guard history stand aside for it."""
        with transaction.atomic(), connection.cursor() as cursor:
            changed = self._changed()
            if not changed:
                return
            guarded = [table for table in _guarded() if table in changed]
            for table in guarded:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(_emptying(changed))
            for table in changed:
                self._fill(table)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
            for table in guarded:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    def _changed(self) -> list[str]:
        others = [table for table in self._tables if table not in self._rows]
        written = [table for table, _ in _asked(_ANY_ROW, others)]
        return written + [table for table, digest in _asked(_ROWS, self._rows) if digest != self._digests[table]]

    def _fill(self, table: str) -> None:
        if table in self._rows:
            insert(table, self._rows[table])


def insert(table: str, rows: bytes) -> None:
    """Put rows back into a table: what `MigratedDatabase.added` returned of it."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        copy.write(rows)


def _asked(question: sql.SQL, tables: Iterable[str]) -> list[tuple[str, str | None]]:
    """Ask the same of each table in one query."""
    parts = [question.format(name=sql.Literal(table), table=sql.Identifier(table)) for table in tables]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return cursor.fetchall()


def _emptying(tables: Sequence[str]) -> str:
    """Return one statement that empties all tables: constraints that cannot wait are checked at its end."""
    *others, last = tables
    parts = [f"step_{number} AS (DELETE FROM {table})" for number, table in enumerate(others)]
    return (f"WITH {', '.join(parts)} " if parts else "") + f"DELETE FROM {last}"


def _referenced_first(tables: set[str]) -> list[str]:
    """Sort tables so that what a constraint without delay refers to comes before what refers to it."""
    graph: dict[str, set[str]] = {table: set() for table in tables}
    with connection.cursor() as cursor:
        cursor.execute(_REFERENCES_CHECKED_AT_ONCE)
        for table, referenced in cursor.fetchall():
            if table in tables and referenced in tables:
                graph[table].add(referenced)
    return list(TopologicalSorter(graph).static_order())


def _guarded() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_GUARDED)
        return [row[0] for row in cursor.fetchall()]


def _copied(table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(copy)
