"""Invariants of consent that PostgreSQL itself holds: whose asset a statement is about, and epochs that only grow."""

from django.db import migrations, models

STATEMENT_OF_ITS_CREATOR = migrations.RunSQL(
    sql="""
    ALTER TABLE catalog_consentgrant ADD CONSTRAINT consent_asset_of_creator
        FOREIGN KEY (asset_id, creator_id) REFERENCES catalog_asset (id, creator_id);
    """,
    reverse_sql="ALTER TABLE catalog_consentgrant DROP CONSTRAINT consent_asset_of_creator;",
)

EPOCH_ONLY_GROWS = migrations.RunSQL(
    sql="""
    CREATE FUNCTION catalog_refuse_older_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a consent epoch only grows: % after % refused', NEW.consent_epoch, OLD.consent_epoch
            USING ERRCODE = 'integrity_constraint_violation';
    END $$;
    CREATE TRIGGER catalog_creator_epoch_grows BEFORE UPDATE ON catalog_creator
        FOR EACH ROW WHEN (NEW.consent_epoch < OLD.consent_epoch) EXECUTE FUNCTION catalog_refuse_older_epoch();
    """,
    reverse_sql="""
    DROP TRIGGER catalog_creator_epoch_grows ON catalog_creator;
    DROP FUNCTION catalog_refuse_older_epoch();
    """,
)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_append_only")]

    operations = [
        migrations.AddIndex(
            model_name="consentgrant",
            index=models.Index(
                condition=models.Q(("asset", None)), fields=["creator", "-epoch"], name="consent_default"
            ),
        ),
        migrations.AddConstraint(
            model_name="asset",
            constraint=models.UniqueConstraint(fields=("id", "creator"), name="asset_with_creator"),
        ),
        migrations.AddConstraint(
            model_name="creator",
            constraint=models.CheckConstraint(
                condition=models.Q(("region__regex", "^[A-Z]{2}$")), name="creator_region_two_letters"
            ),
        ),
        STATEMENT_OF_ITS_CREATOR,
        EPOCH_ONLY_GROWS,
    ]
