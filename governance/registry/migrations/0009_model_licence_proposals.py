"""Moves of models to other licences, as proposals; PostgreSQL holds that nobody approves a widening of their own."""

import django.contrib.postgres.fields
import django.db.models.deletion
import governance.kernel.clock
import governance.kernel.ids
from django.db import migrations, models

from governance.audit.guards.triggers import append_only, frozen_columns


DECIDED_FOR_GOOD = migrations.RunSQL(
    sql="""
    CREATE TRIGGER registry_modellicenceproposal_decided BEFORE UPDATE ON registry_modellicenceproposal
        FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION assent_refuse_change();
    """,
    reverse_sql="DROP TRIGGER registry_modellicenceproposal_decided ON registry_modellicenceproposal;",
)

# The column `direction` is computed by the application. Where one person was enough, the database computes it again.
ALONE_ONLY_NARROWER = migrations.RunSQL(
    sql="""
    CREATE FUNCTION registry_refuse_own_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM registry_licenceversion AS wanted JOIN registry_licenceversion AS base ON base.id = NEW.base_id
            WHERE wanted.id = NEW.wanted_id AND wanted.purposes <@ base.purposes
                AND (base.regions = '{}' OR wanted.regions <> '{}' AND wanted.regions <@ base.regions)
                AND (base.partners = '{}' OR wanted.partners <> '{}' AND wanted.partners <@ base.partners)
                AND wanted.valid_from >= base.valid_from
                AND (base.valid_until IS NULL OR wanted.valid_until <= base.valid_until)
                AND NOT EXISTS (
                    SELECT FROM jsonb_array_elements(base.obligations) AS kept
                    WHERE kept NOT IN (SELECT jsonb_array_elements(wanted.obligations)))
        ) THEN
            RAISE EXCEPTION 'model %: an author approves only a licence that permits no more', NEW.slug
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER registry_modellicenceproposal_alone_narrower BEFORE INSERT OR UPDATE ON registry_modellicenceproposal
        FOR EACH ROW WHEN (NEW.state = 'in_force' AND NEW.decided_by = ANY (NEW.authors))
        EXECUTE FUNCTION registry_refuse_own_move();
    """,
    reverse_sql="""
    DROP TRIGGER registry_modellicenceproposal_alone_narrower ON registry_modellicenceproposal;
    DROP FUNCTION registry_refuse_own_move();
    """,
)


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0008_licences_are_policy"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelLicenceProposal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=governance.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(help_text="What it changes, or is to be called.")),
                ("reason", models.CharField(help_text="Why it should change; reviewers read this.", max_length=500)),
                ("content", models.JSONField(help_text="All that the new version would say.")),
                (
                    "digest",
                    models.CharField(help_text="SHA-256 of the content as canonical JSON (RFC 8785).", max_length=64),
                ),
                (
                    "direction",
                    models.CharField(
                        choices=[
                            ("narrower", "Narrower"),
                            ("wider", "Wider"),
                            ("mixed", "Narrower, with another label"),
                            ("label", "Label only"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Waiting for review"),
                            ("in_force", "In force"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                (
                    "authors",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=150), help_text="All who wrote any of it.", size=None
                    ),
                ),
                ("decided_by", models.CharField(blank=True, max_length=150)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("created_by", models.CharField(max_length=150)),
                ("created_at", models.DateTimeField(default=governance.kernel.clock.now)),
                ("updated_at", models.DateTimeField(default=governance.kernel.clock.now)),
                (
                    "base",
                    models.ForeignKey(
                        help_text="The version that the model ran under when it was written.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.licenceversion",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="licence_proposals",
                        to="registry.model",
                    ),
                ),
                (
                    "wanted",
                    models.ForeignKey(
                        help_text="The version of the other licence that was in force when it was written.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.licenceversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "move to another licence",
                "verbose_name_plural": "moves to other licences",
                "ordering": ["-created_at"],
                "permissions": [
                    ("review_modellicenceproposal", "Can approve or reject moves of models to other licences")
                ],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ModelLicenceProposalEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("step", models.CharField(max_length=16)),
                ("digest", models.CharField(help_text="The content at that moment.", max_length=64)),
                ("person", models.CharField(max_length=150)),
                ("comment", models.CharField(blank=True, max_length=1000)),
                ("happened_at", models.DateTimeField(default=governance.kernel.clock.now)),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="registry.modellicenceproposal",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="modellicenceproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("authors__contains", [models.F("created_by")])),
                name="modellicenceproposal_names_its_author",
            ),
        ),
        migrations.AddConstraint(
            model_name="modellicenceproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "in_force"), _negated=True),
                    ("direction", "narrower"),
                    models.Q(("authors__contains", [models.F("decided_by")]), _negated=True),
                    _connector="OR",
                ),
                name="modellicenceproposal_approver_is_no_author",
            ),
        ),
        migrations.AddConstraint(
            model_name="modellicenceproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("decided_by", ""), ("state", "open")),
                    models.Q(
                        models.Q(("state", "open"), _negated=True),
                        models.Q(("decided_by", ""), _negated=True),
                        ("decided_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="modellicenceproposal_decided_by_somebody",
            ),
        ),
        frozen_columns("registry_modellicenceproposal", ["slug", "model_id", "created_by", "created_at"]),
        DECIDED_FOR_GOOD,
        ALONE_ONLY_NARROWER,
        append_only("registry_modellicenceproposalevent"),
    ]
