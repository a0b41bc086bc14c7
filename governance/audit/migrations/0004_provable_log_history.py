"""The new history that PostgreSQL itself refuses to change, and WORM references whose retention may be extended."""

from django.db import migrations

from governance.audit.guards.triggers import append_only, frozen_columns, only_extended

WORM_FACTS = [
    "id",
    "kind",
    "subject_type",
    "subject_id",
    "evidence_id",
    "uri",
    "version_id",
    "sha256",
    "size",
    "mode",
    "stored_at",
]

UNGUARDED = migrations.RunSQL(
    sql="""
    DROP TRIGGER audit_wormreference_append_only ON audit_wormreference;
    DROP TRIGGER audit_wormreference_no_truncate ON audit_wormreference;
    """,
    reverse_sql="""
    CREATE TRIGGER audit_wormreference_append_only BEFORE UPDATE OR DELETE ON audit_wormreference
        FOR EACH ROW EXECUTE FUNCTION assent_refuse_change();
    CREATE TRIGGER audit_wormreference_no_truncate BEFORE TRUNCATE ON audit_wormreference
        FOR EACH STATEMENT EXECUTE FUNCTION assent_refuse_change();
    """,
)

SUBJECTS_OF_EVIDENCE = migrations.RunSQL(
    sql="""
    UPDATE audit_wormreference SET subject_type = evidence.subject_type, subject_id = evidence.subject_id
        FROM audit_evidencerecord AS evidence WHERE evidence.id = audit_wormreference.evidence_id;
    """,
    reverse_sql=migrations.RunSQL.noop,
)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_provable_log"),
    ]

    operations = [
        UNGUARDED,
        SUBJECTS_OF_EVIDENCE,
        frozen_columns("audit_wormreference", WORM_FACTS),
        only_extended("audit_wormreference", "retain_until"),
        frozen_columns("audit_legalhold", ["id", "reference_id", "reason", "set_by", "set_at"]),
        frozen_columns("audit_logalarm", ["id", "code", "message", "details", "raised_at"]),
        append_only("audit_logtile"),
        append_only("audit_checkpoint"),
        append_only("audit_cosignature"),
        append_only("audit_receipt"),
        append_only("audit_reconciliationreport"),
    ]
