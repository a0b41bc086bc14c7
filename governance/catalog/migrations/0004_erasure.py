"""Creators whose personal data was deleted: PostgreSQL itself sees to it that no name comes back."""

from django.db import migrations, models

ERASED_FOR_GOOD = migrations.RunSQL(
    sql="""
    CREATE TRIGGER catalog_creator_erased_for_good BEFORE UPDATE ON catalog_creator
        FOR EACH ROW WHEN (OLD.erased_at IS NOT NULL AND OLD.erased_at IS DISTINCT FROM NEW.erased_at)
        EXECUTE FUNCTION assent_refuse_change();
    """,
    reverse_sql="DROP TRIGGER catalog_creator_erased_for_good ON catalog_creator;",
)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_consent_invariants"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="creator",
            name="erased_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When the personal data was deleted; from then on nothing is added.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="creator",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at__isnull", True),
                    models.Q(
                        ("display_name", "Erased creator"), ("email", ""), ("status", "suspended"), ("uploaders", [])
                    ),
                    _connector="OR",
                ),
                name="creator_erased_has_no_name",
            ),
        ),
        ERASED_FOR_GOOD,
    ]
