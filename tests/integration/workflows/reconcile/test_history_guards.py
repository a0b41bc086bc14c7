"""History refuses to be changed by anybody who has not lifted its guards: every table of it, with a row in each."""

import pytest
from django.db import DatabaseError, connection, transaction

from governance.audit.guards.privileges import rights
from governance.audit.models import CommitmentSalt, OutboxEntry
from tests.factories.history import History

pytestmark = pytest.mark.django_db

HISTORY = {
    "audit_evidencerecord",
    "audit_ledgerentry",
    "audit_receipt",
    "audit_treehead",
    "catalog_consentgrant",
    "decisions_decisionrecord",
    "jobs_jobevent",
    "jobs_jobinput",
    "jobs_joboutput",
    "jobs_outputcandidate",
    "moderation_moderationverdict",
    "rulebook_draftevent",
    "rulebook_policyactivation",
    "rulebook_policyrevision",
    "rulebook_revisionanchor",
}
#: Rows change in some columns, but never go.
KEPT = {
    "audit_legalhold",
    "audit_wormreference",
    "catalog_asset",
    "decisions_permit",
    "jobs_job",
    "registry_modelversion",
    "rulebook_policydraft",
    "rulebook_policyfreeze",
}


def refusal(statement: str) -> str:
    with (
        pytest.raises(DatabaseError, match="append-only") as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    return str(caught.value)


def first_column(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} LIMIT 1")
        assert cursor.fetchone() is not None, f"{table} is empty: nothing would be refused"
        return str(cursor.description[-1].name)


def test_the_lists_name_all_there_is(history: History) -> None:
    append_only = {each.table for each in rights() if each.append_only}

    assert append_only >= HISTORY
    assert {each.table for each in rights() if each.columns} >= KEPT


@pytest.mark.parametrize("table", sorted(HISTORY))
def test_history_takes_no_update_delete_or_truncate(history: History, table: str) -> None:
    column = first_column(table)

    assert "UPDATE refused" in refusal(f"UPDATE {table} SET {column} = {column}")
    assert "DELETE refused" in refusal(f"DELETE FROM {table}")
    assert "TRUNCATE refused" in refusal(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", sorted(KEPT))
def test_rows_that_are_kept_take_no_delete_or_truncate(history: History, table: str) -> None:
    first_column(table)

    assert "DELETE refused" in refusal(f"DELETE FROM {table}")
    assert "TRUNCATE refused" in refusal(f"TRUNCATE {table} CASCADE")


def test_what_must_go_can_go(history: History) -> None:
    assert OutboxEntry.objects.all().delete()[0] >= 0
    assert CommitmentSalt.objects.all().delete()[0] >= 0
