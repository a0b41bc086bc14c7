"""Revisions that were archived before there were references of every kind get theirs by a migration."""

from importlib import import_module

import pytest
from django.db import connection

from governance.audit.models import WormReference
from governance.rulebook.activation import publish_without_review
from governance.rulebook.models import RevisionAnchor
from tests.factories.marketplace import TESTER
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db

MIGRATION = import_module("governance.rulebook.migrations.0005_worm_references")


def made_again() -> list[WormReference]:
    with guards_lifted():
        WormReference.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(MIGRATION.REFERENCES.sql)
        cursor.execute(MIGRATION.REFERENCES.sql)
    return list(WormReference.objects.all())


def test_each_archived_revision_gets_one_reference() -> None:
    revision = publish_without_review(actor=TESTER)
    before = WormReference.objects.get()

    after = made_again()

    assert len(after) == 1
    columns = ("kind", "subject_type", "subject_id", "uri", "version_id", "sha256", "size", "mode", "retain_until")
    assert {name: getattr(after[0], name) for name in columns} == {name: getattr(before, name) for name in columns}
    assert (after[0].subject_id, after[0].retention_class) == (revision.digest, "policy")
    assert RevisionAnchor.objects.get().uri == after[0].uri
