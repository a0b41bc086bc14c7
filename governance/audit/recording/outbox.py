"""Writing to the outbox. Every business transaction does this, so it is a single prepared statement."""

from datetime import datetime
from uuid import UUID

from django.db import connection
from psycopg import Cursor

from governance.audit.types import Actor, SubjectRef

_INSERT = """
    INSERT INTO audit_outboxentry (entry_id, kind, subject_type, subject_id, actor_type, actor_id, occurred_at, body)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


def put_into_outbox(
    *, entry_id: UUID, kind: str, subject: SubjectRef, actor: Actor, occurred_at: datetime, body: bytes
) -> None:
    """Insert one waiting entry in the current transaction.

    Bypasses the ORM, whose insert would take longer than the rest of recording; errors are still Django's.
    Raises what the database raises, as django.db.Error.
    """
    row = (entry_id, kind, subject.type, subject.id, actor.type, actor.id, occurred_at, body)
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        Cursor(connection.connection).execute(_INSERT, row, prepare=True)
