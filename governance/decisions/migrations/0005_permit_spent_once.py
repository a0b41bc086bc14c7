"""Freeze all of a permit but its redemption, and that too once it is set."""

from django.db import migrations

from governance.audit.guards.triggers import frozen_columns

BOUND = [
    "decision_id",
    "job_id",
    "fencing_token",
    "input_sha256",
    "artifact_sha256",
    "envelope",
    "issued_at",
    "expires_at",
]
ALL_BOUND = [*BOUND, "revision_digest", "consent_epochs", "obligations"]

SPENT_ONCE = migrations.RunSQL(
    sql="""
    CREATE TRIGGER decisions_permit_spent_once BEFORE UPDATE ON decisions_permit
        FOR EACH ROW WHEN (OLD.redeemed_at IS NOT NULL AND OLD.redeemed_at IS DISTINCT FROM NEW.redeemed_at)
        EXECUTE FUNCTION assent_refuse_change();
    """,
    reverse_sql="DROP TRIGGER decisions_permit_spent_once ON decisions_permit;",
)


def _refrozen(before: list[str], after: list[str]) -> migrations.RunSQL:
    old, new = frozen_columns("decisions_permit", before), frozen_columns("decisions_permit", after)
    return migrations.RunSQL(sql=f"{old.reverse_sql}{new.sql}", reverse_sql=f"{new.reverse_sql}{old.sql}")


class Migration(migrations.Migration):
    dependencies = [("decisions", "0004_replay_history")]

    operations = [_refrozen(BOUND, ALL_BOUND), SPENT_ONCE]
