"""Production connects to the database as a role that cannot rewrite history."""

from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper

from governance.audit.guards.privileges import POWERS, RoleFacts


def refuse_powerful(sender: object, connection: BaseDatabaseWrapper, **given: object) -> None:
    """Refuse a new connection of the application as superuser or owner, where ASSENT_DATABASE_ROLE asks for it.

    Receives Django's `connection_created`. Raises ImproperlyConfigured.
    """
    if settings.ASSENT_DATABASE_ROLE != "application":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (name,) = cursor.fetchone()
        cursor.execute(POWERS, {"role": name})
        superuser, owner = cursor.fetchone()
    found = list(complaints(RoleFacts(name=name, superuser=superuser, owns_tables=owner, changes_history=())))
    if found:
        connection.close()
        raise ImproperlyConfigured("\n".join(found))


def complaints(facts: RoleFacts) -> Iterator[str]:
    """Return what a role may do that the application must not, each with a remedy."""
    if facts.superuser:
        yield f"The database role '{facts.name}' is a superuser, so no guard applies to it. Connect as a separate role."
    elif facts.owns_tables:
        yield (
            f"The database role '{facts.name}' owns the tables, so it could remove each guard. Connect as another, and "
            "give it its rights with 'manage.py database grant --role NAME', run as the owner."
        )
    for table in facts.changes_history:
        yield f"The database role '{facts.name}' has a right to change {table}. Run 'manage.py database grant' again."
