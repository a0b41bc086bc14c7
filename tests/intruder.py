"""A superuser of the database who goes behind the application, past every guard: what verification must notice."""

import psycopg
from django.db import connection

SUPERUSER = "postgres"


def as_superuser(*statements: str) -> int:
    """Run statements with every trigger and foreign key silenced; return how many rows the last one changed."""
    settings = connection.settings_dict
    options = settings["OPTIONS"] | {"host": settings["HOST"] or settings["OPTIONS"].get("host")}
    with psycopg.connect(
        host=options["host"], port=settings["PORT"] or None, dbname=settings["NAME"], user=SUPERUSER, autocommit=True
    ) as intruder:
        intruder.execute("SET session_replication_role = replica")
        return [intruder.execute(statement).rowcount for statement in statements][-1]
