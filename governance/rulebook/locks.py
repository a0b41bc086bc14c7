"""The one lock of the rulebook."""

from django.db import connection

#: object fixed number: whoever holds this advisory lock is the one who changes rules or what decides.
_POLICY_LOCK = 0x70_75_62_6C_69_73_68


def lock_policy() -> None:
    """Keep everybody else from changing rules, or which revision decides, until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_POLICY_LOCK])
