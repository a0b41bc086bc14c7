"""Licences that PostgreSQL itself holds to be versioned: a row shows its version in force, and nothing else."""

import django.db.models.deletion
from django.db import migrations, models

from governance.audit.guards.triggers import append_only, frozen_columns

OF_ITS_LICENCE = migrations.RunSQL(
    sql="""
    ALTER TABLE registry_licence ADD CONSTRAINT licence_in_force_is_its_own
        FOREIGN KEY (in_force_id, id) REFERENCES registry_licenceversion (id, licence_id)
        DEFERRABLE INITIALLY DEFERRED;
    """,
    reverse_sql="ALTER TABLE registry_licence DROP CONSTRAINT licence_in_force_is_its_own;",
)

# Looked at when the transaction ends, since the version is written after the row of a new licence.
SHOWS_ITS_VERSION = migrations.RunSQL(
    sql="""
    CREATE FUNCTION registry_refuse_other_terms() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM registry_licence AS l JOIN registry_licenceversion AS v ON v.id = l.in_force_id
            WHERE l.id = NEW.id AND (l.name, l.purposes, l.regions, l.partners, l.valid_from, l.valid_until, l.obligations, l.terms_url)
                IS DISTINCT FROM (v.name, v.purposes, v.regions, v.partners, v.valid_from, v.valid_until, v.obligations, v.terms_url)
        ) THEN
            RAISE EXCEPTION 'licence %: its terms are not those of its version in force', NEW.slug
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER registry_licence_shows_its_version AFTER INSERT OR UPDATE ON registry_licence
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry_refuse_other_terms();
    """,
    reverse_sql="""
    DROP TRIGGER registry_licence_shows_its_version ON registry_licence;
    DROP FUNCTION registry_refuse_other_terms();
    """,
)

DECIDED_FOR_GOOD = migrations.RunSQL(
    sql="""
    CREATE TRIGGER registry_licenceproposal_decided BEFORE UPDATE ON registry_licenceproposal
        FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION assent_refuse_change();
    """,
    reverse_sql="DROP TRIGGER registry_licenceproposal_decided ON registry_licenceproposal;",
)

# The column `direction` is computed by the application. Where one person was enough, the database computes it again.
ALONE_ONLY_NARROWER = migrations.RunSQL(
    sql="""
    CREATE FUNCTION registry_refuse_own_widening() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM registry_licenceversion AS made JOIN registry_licenceversion AS base
                ON base.id = NEW.base_id AND base.licence_id = made.licence_id
            WHERE made.id = NEW.version_id AND made.purposes <@ base.purposes
                AND (base.regions = '{}' OR made.regions <> '{}' AND made.regions <@ base.regions)
                AND (base.partners = '{}' OR made.partners <> '{}' AND made.partners <@ base.partners)
                AND made.valid_from >= base.valid_from
                AND (base.valid_until IS NULL OR made.valid_until <= base.valid_until)
                AND (made.name, made.terms_url) = (base.name, base.terms_url)
                AND NOT EXISTS (
                    SELECT FROM jsonb_array_elements(base.obligations) AS kept
                    WHERE kept NOT IN (SELECT jsonb_array_elements(made.obligations)))
        ) THEN
            RAISE EXCEPTION 'licence %: an author approves only what is narrower', NEW.slug
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER registry_licenceproposal_alone_narrower BEFORE INSERT OR UPDATE ON registry_licenceproposal
        FOR EACH ROW WHEN (NEW.state = 'in_force' AND NEW.decided_by = ANY (NEW.authors))
        EXECUTE FUNCTION registry_refuse_own_widening();
    """,
    reverse_sql="""
    DROP TRIGGER registry_licenceproposal_alone_narrower ON registry_licenceproposal;
    DROP FUNCTION registry_refuse_own_widening();
    """,
)


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0007_licences_adopted"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        migrations.AlterField(
            model_name="licence",
            name="in_force",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.licenceversion"
            ),
        ),
        OF_ITS_LICENCE,
        SHOWS_ITS_VERSION,
        append_only("registry_licenceversion"),
        frozen_columns("registry_licenceproposal", ["slug", "created_by", "created_at"]),
        DECIDED_FOR_GOOD,
        ALONE_ONLY_NARROWER,
        append_only("registry_licenceproposalevent"),
    ]
