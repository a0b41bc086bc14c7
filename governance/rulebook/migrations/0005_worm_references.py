"""Revisions that were archived before references were of every kind get theirs."""

from django.db import migrations

REFERENCES = migrations.RunSQL(
    sql="""
    INSERT INTO audit_wormreference (
        id, kind, subject_type, subject_id, uri, version_id, sha256, size, mode, retain_until, retention_class, stored_at
    )
    SELECT gen_random_uuid(), 'policy', 'revision', revision.digest, anchor.uri, anchor.version_id, anchor.sha256,
           anchor.size, anchor.mode, max(anchor.retain_until), 'policy', min(anchor.stored_at)
    FROM rulebook_revisionanchor AS anchor JOIN rulebook_policyrevision AS revision ON revision.id = anchor.revision_id
    GROUP BY revision.digest, anchor.uri, anchor.version_id, anchor.sha256, anchor.size, anchor.mode
    ON CONFLICT (uri, version_id) DO NOTHING;
    """,
    reverse_sql=migrations.RunSQL.noop,
)


class Migration(migrations.Migration):
    dependencies = [
        ("rulebook", "0004_lifecycle_history"),
        ("audit", "0005_retention_classes"),
    ]

    operations = [
        REFERENCES,
    ]
