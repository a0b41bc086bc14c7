"""Consent levels that PostgreSQL itself holds to be versioned: nothing in them changes, and no grant ever grows."""

import django.db.models.deletion
from django.db import migrations, models

from governance.audit.guards.triggers import append_only, frozen_columns

OF_ITS_LEVEL = migrations.RunSQL(
    sql="""
    ALTER TABLE catalog_consentlevel ADD CONSTRAINT consent_level_in_force_is_its_own
        FOREIGN KEY (in_force_id, id) REFERENCES catalog_consentlevelversion (id, level_id)
        DEFERRABLE INITIALLY DEFERRED;
    ALTER TABLE catalog_consentgrant ADD CONSTRAINT consent_version_of_level
        FOREIGN KEY (level_version_id, level_id) REFERENCES catalog_consentlevelversion (id, level_id);
    """,
    reverse_sql="""
    ALTER TABLE catalog_consentgrant DROP CONSTRAINT consent_version_of_level;
    ALTER TABLE catalog_consentlevel DROP CONSTRAINT consent_level_in_force_is_its_own;
    """,
)

CONSENT_NEVER_GROWS = migrations.RunSQL(
    sql="""
    CREATE TRIGGER catalog_consentlevelversion_only_narrowed BEFORE UPDATE ON catalog_consentlevelversion
        FOR EACH ROW WHEN (NOT NEW.effective <@ OLD.effective) EXECUTE FUNCTION assent_refuse_change();
    """,
    reverse_sql="DROP TRIGGER catalog_consentlevelversion_only_narrowed ON catalog_consentlevelversion;",
)

DECIDED_FOR_GOOD = migrations.RunSQL(
    sql="""
    CREATE TRIGGER catalog_consentlevelproposal_decided BEFORE UPDATE ON catalog_consentlevelproposal
        FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION assent_refuse_change();
    """,
    reverse_sql="DROP TRIGGER catalog_consentlevelproposal_decided ON catalog_consentlevelproposal;",
)

# The column `direction` is computed by the application. Where one person was enough, the database computes it again.
ALONE_ONLY_NARROWER = migrations.RunSQL(
    sql="""
    CREATE FUNCTION catalog_refuse_own_widening() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM catalog_consentlevelversion AS made JOIN catalog_consentlevelversion AS base
                ON base.id = NEW.base_id AND base.level_id = made.level_id
            WHERE made.id = NEW.version_id AND made.pairs <@ base.pairs
                AND (made.name, made.rank, made.description) = (base.name, base.rank, base.description)
        ) THEN
            RAISE EXCEPTION 'consent level %: an author approves only what is narrower', NEW.slug
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER catalog_consentlevelproposal_alone_narrower BEFORE INSERT OR UPDATE ON catalog_consentlevelproposal
        FOR EACH ROW WHEN (NEW.state = 'in_force' AND NEW.decided_by = ANY (NEW.authors))
        EXECUTE FUNCTION catalog_refuse_own_widening();
    """,
    reverse_sql="""
    DROP TRIGGER catalog_consentlevelproposal_alone_narrower ON catalog_consentlevelproposal;
    DROP FUNCTION catalog_refuse_own_widening();
    """,
)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0008_consent_levels_adopted"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="consentlevel",
            options={"ordering": ["in_force__rank", "slug"], "verbose_name": "consent level"},
        ),
        migrations.RemoveConstraint(
            model_name="consentgrant",
            name="consent_grant_names_a_level",
        ),
        migrations.RemoveField(
            model_name="consentlevel",
            name="description",
        ),
        migrations.RemoveField(
            model_name="consentlevel",
            name="name",
        ),
        migrations.RemoveField(
            model_name="consentlevel",
            name="rank",
        ),
        migrations.AddConstraint(
            model_name="consentgrant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "grant"), ("level__isnull", False), ("level_version__isnull", False)),
                    models.Q(("kind", "withdrawal"), ("level__isnull", True), ("level_version__isnull", True)),
                    _connector="OR",
                ),
                name="consent_grant_names_a_level",
            ),
        ),
        migrations.DeleteModel(
            name="ConsentPair",
        ),
        migrations.AlterField(
            model_name="consentlevel",
            name="in_force",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.consentlevelversion"
            ),
        ),
        OF_ITS_LEVEL,
        frozen_columns(
            "catalog_consentlevelversion", ["level_id", "number", "name", "rank", "description", "pairs", "created_at"]
        ),
        CONSENT_NEVER_GROWS,
        frozen_columns("catalog_consentlevelproposal", ["slug", "created_by", "created_at"]),
        DECIDED_FOR_GOOD,
        ALONE_ONLY_NARROWER,
        append_only("catalog_consentlevelproposalevent"),
    ]
