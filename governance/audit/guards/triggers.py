"""Migration operations that make PostgreSQL refuse changes to history.

Every area with an append-only table uses them, so that neither a bug nor the Django shell can rewrite a row.
"""

from django.db.migrations import RunSQL

FUNCTION = RunSQL(
    sql="""
    CREATE FUNCTION assent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END $$;
    """,
    reverse_sql="DROP FUNCTION assent_refuse_change();",
)


def append_only(table: str) -> RunSQL:
    """Return the operation that makes `table` refuse UPDATE, DELETE and TRUNCATE. Needs `FUNCTION` applied before."""
    return RunSQL(
        sql=f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION assent_refuse_change();
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION assent_refuse_change();
        """,
        reverse_sql=f"""
        DROP TRIGGER {table}_append_only ON {table};
        DROP TRIGGER {table}_no_truncate ON {table};
        """,
    )


def frozen_columns(table: str, columns: list[str]) -> RunSQL:
    """Return the operation that makes `table` refuse a change of any of `columns`, every DELETE and TRUNCATE."""
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
    return RunSQL(
        sql=f"""
        CREATE TRIGGER {table}_frozen BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION assent_refuse_change();
        CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION assent_refuse_change();
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION assent_refuse_change();
        """,
        reverse_sql=f"""
        DROP TRIGGER {table}_frozen ON {table};
        DROP TRIGGER {table}_no_delete ON {table};
        DROP TRIGGER {table}_no_truncate ON {table};
        """,
    )


def only_extended(table: str, column: str) -> RunSQL:
    """Return the operation that makes `table` refuse every change of `column` to an earlier or smaller value."""
    return RunSQL(
        sql=f"""
        CREATE TRIGGER {table}_{column}_extended BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN (NEW.{column} < OLD.{column}) EXECUTE FUNCTION assent_refuse_change();
        """,
        reverse_sql=f"DROP TRIGGER {table}_{column}_extended ON {table};",
    )


def not_updated(table: str) -> RunSQL:
    """Return the operation that makes `table` refuse every UPDATE: rows can be added and removed, but not changed."""
    return RunSQL(
        sql=f"""
        CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION assent_refuse_change();
        """,
        reverse_sql=f"DROP TRIGGER {table}_no_update ON {table};",
    )
