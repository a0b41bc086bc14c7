"""Least privilege: what the application's database role may do, derived from the installed guards.

The role that owns the tables, and could remove any guard, is only used for migrations. The application's role has no
right to change or remove history, and no table is forgotten, because the rights are derived from the triggers in the
database.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from psycopg import sql

from governance.audit.errors import RoleRefused

#: Bits of pg_trigger.tgtype (PostgreSQL source, catalog/pg_trigger.h).
_ON_DELETE, _ON_UPDATE = 8, 16
_OLD_COLUMN = re.compile(r"\bold\.\"?(\w+)", re.IGNORECASE)
_NO_ONE_WRITES = frozenset({"django_migrations"})

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
_COLUMNS = """
    SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_CHANGEABLE = """
    SELECT coalesce(bool_or(has_column_privilege(%s, attrelid, attnum, 'UPDATE')), false) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL (%s)
"""
_GUARDS = """
    SELECT tgtype, tgqual IS NOT NULL, pg_get_triggerdef(oid), tgname FROM pg_trigger
    WHERE tgrelid = %s::regclass AND tgfoid = 'assent_refuse_change'::regproc AND tgenabled <> 'D'
"""


#: Roles that no guard applies to, including members that may SET ROLE to them. The two predefined roles can become
#: superuser through the server's files (PostgreSQL documentation, "Predefined Roles").
POWERS = """
    SELECT
        EXISTS (
            SELECT FROM pg_roles AS powerful WHERE pg_has_role(%(role)s, powerful.oid, 'MEMBER')
            AND (rolsuper OR rolname IN ('pg_execute_server_program', 'pg_write_server_files'))
        ),
        EXISTS (
            SELECT FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
            AND pg_has_role(%(role)s, relowner, 'MEMBER')
        ) OR EXISTS (
            SELECT FROM pg_proc WHERE oid = to_regproc('assent_refuse_change')
            AND pg_has_role(%(role)s, proowner, 'MEMBER')
        )
"""


@dataclass(frozen=True, slots=True)
class TableRights:
    """What a role may do with one table besides reading it; `columns` None means that all may be changed."""

    table: str
    insert: bool = True
    delete: bool = True
    columns: tuple[str, ...] | None = None

    @property
    def append_only(self) -> bool:
        """Whether rows can only be added."""
        return self.insert and not self.delete and self.columns == ()


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """Whether a database role is unsafe for the application."""

    name: str
    superuser: bool
    owns_tables: bool
    changes_history: tuple[str, ...]

    @property
    def limited(self) -> bool:
        return not (self.superuser or self.owns_tables or self.changes_history)


def rights() -> list[TableRights]:
    """Return the rights of the application's role on every table, derived from the installed guards."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [_rights(str(table)) for (table,) in cursor.fetchall()]


def grant_rights(role: str) -> list[TableRights]:
    """Give `role` exactly the rights of `rights`, replacing its previous ones, in one transaction, and return them.

    Run it as the tables' owner after every migration. Raises RoleRefused when there is no such role, or when it cannot
    be limited: a superuser, the owner, or a member of the owner.
    """
    with transaction.atomic():
        _refuse_powerful(role)
        found = rights()
        for statement in _statements(role, found):
            with connection.cursor() as cursor:
                cursor.execute(statement)
    return found


def role_facts(role: str | None = None) -> RoleFacts:
    """Return what `role`, or the role of this connection, may do that the application must not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(%s, current_user)", [role])
        name = str(cursor.fetchone()[0])
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [name])
        if cursor.fetchone() is None:
            raise RoleRefused(f"There is no database role '{name}'. Create it first: CREATE ROLE {name} LOGIN.")
    superuser, owner = role_powers(name)
    changeable = [] if superuser or owner else [each.table for each in rights() if _can_change(name, each)]
    return RoleFacts(name=name, superuser=superuser, owns_tables=owner, changes_history=tuple(changeable))


def role_powers(role: str) -> tuple[bool, bool]:
    """Return whether a role is, or may become, a superuser, and whether it is or may become the tables' owner."""
    with connection.cursor() as cursor:
        cursor.execute(POWERS, {"role": role})
        superuser, owner = cursor.fetchone()
    return bool(superuser), bool(owner)


def _rights(table: str) -> TableRights:
    if table in _NO_ONE_WRITES:
        return TableRights(table, insert=False, delete=False, columns=())
    with connection.cursor() as cursor:
        cursor.execute(_GUARDS, [f'"{table}"'])
        guards = cursor.fetchall()
        cursor.execute(_COLUMNS, [f'"{table}"'])
        columns = [str(name) for (name,) in cursor.fetchall()]
    always = [kind for kind, conditional, _, _ in guards if not conditional]
    frozen = {
        column
        for kind, conditional, definition, name in guards
        if conditional and kind & _ON_UPDATE and name.endswith("_frozen")
        for column in _OLD_COLUMN.findall(definition)
    }
    open_columns = tuple(column for column in columns if column not in frozen) if frozen else None
    return TableRights(
        table,
        delete=not any(kind & _ON_DELETE for kind in always),
        columns=() if any(kind & _ON_UPDATE for kind in always) else open_columns,
    )


def _statements(role: str, found: list[TableRights]) -> Iterator[sql.Composed]:
    to = sql.Identifier(role)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema = sql.Identifier(str(cursor.fetchone()[0]))
    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(schema, to)
    yield sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(schema, to)
    yield sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, to)
    yield sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {} TO {}").format(schema, to)
    for each in found:
        yield sql.SQL("GRANT {} ON {} TO {}").format(_verbs(each), sql.Identifier(each.table), to)


def _verbs(each: TableRights) -> sql.Composed:
    verbs = [sql.SQL("SELECT")]
    verbs += [sql.SQL("INSERT")] if each.insert else []
    verbs += [sql.SQL("DELETE")] if each.delete else []
    if each.columns is None:
        return sql.SQL(", ").join([*verbs, sql.SQL("UPDATE")])
    if each.columns:
        names = sql.SQL(", ").join(map(sql.Identifier, each.columns))
        return sql.SQL(", ").join([*verbs, sql.SQL("UPDATE ({})").format(names)])
    return sql.SQL(", ").join(verbs)


def _refuse_powerful(role: str) -> None:
    facts = role_facts(role)
    if facts.superuser or facts.owns_tables:
        what = "a superuser" if facts.superuser else "the owner of the tables, or a member of that role"
        raise RoleRefused(f"'{role}' is {what} and cannot be limited. Use a separate role for the application.")


def _can_change(role: str, each: TableRights) -> bool:
    """Return whether the role has a right on this table that the guards would refuse."""
    forbidden = ["TRUNCATE", "TRIGGER", *([] if each.delete else ["DELETE"])]
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s, %s)", [role, f'"{each.table}"', ", ".join(forbidden)])
        if cursor.fetchone()[0]:
            return True
        if each.columns is None:
            return False
        cursor.execute(_CHANGEABLE, [role, f'"{each.table}"', list(each.columns)])
        return bool(cursor.fetchone()[0])
