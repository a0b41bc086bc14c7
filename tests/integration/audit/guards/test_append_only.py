from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from governance.audit.evidence.anchoring import anchor_evidence
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import EvidenceRecord, LedgerEntry, TreeHead, WormReference
from tests.factories.audit import issued_evidence

pytestmark = pytest.mark.django_db

COLUMNS = [
    (LedgerEntry, "kind = 'job.denied'"),
    (TreeHead, "root_hash = frontier"),
    (EvidenceRecord, "outcome = 'denied'"),
    (WormReference, "sha256 = version_id"),
]


@pytest.fixture(autouse=True)
def one_row_in_each_table() -> None:
    anchor_evidence(evidence_id=issued_evidence().id)
    sequence_pending()
    connection.check_constraints()


@pytest.mark.parametrize(("model", "change"), COLUMNS)
def test_database_refuses_to_change_history(model: type[Model], change: str) -> None:
    table = model._meta.db_table
    for statement in (f"UPDATE {table} SET {change}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with (
            pytest.raises(DatabaseError, match=r"table audit_\w+ is append-only: \w+ refused"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    assert model._default_manager.count() >= 1


@pytest.mark.parametrize("model", [LedgerEntry, TreeHead, EvidenceRecord])
def test_orm_is_refused_too(model: type[Model]) -> None:
    row = model._default_manager.first()
    assert row is not None

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        row.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        model._default_manager.filter(pk=row.pk)._raw_delete(using="default")


@pytest.mark.parametrize(
    "column",
    ["id", "kind", "subject_type", "subject_id", "evidence_id", "uri", "version_id", "sha256", "size", "mode"],
)
def test_a_reference_keeps_everything_that_it_says(column: str) -> None:
    other = {"id": "gen_random_uuid()", "size": "1", "evidence_id": "NULL"}.get(column, "'x'")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE audit_wormreference SET {column} = {other}")


def test_a_retention_is_extended_and_never_shortened() -> None:
    reference = WormReference.objects.get()
    later = reference.retain_until + timedelta(days=1)

    WormReference.objects.update(retain_until=later)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        WormReference.objects.update(retain_until=reference.retain_until)

    assert WormReference.objects.get().retain_until == later


def test_rows_name_themselves() -> None:
    names = [str(model._default_manager.first()) for model, _ in COLUMNS]

    assert names[0].startswith("#0 evidence.issued job:")
    assert names[1].startswith("2 entries, root ")
    assert names[2].startswith("released job:")
    assert names[3].startswith("worm+file:evidence/")
