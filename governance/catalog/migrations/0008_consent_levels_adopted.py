"""Consent levels from before they had versions become version 1, which every grant so far is of."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.catalog.entries import ConsentLevelAdopted
from governance.catalog.states import recorded_text

# A grant says which version it is of from now on; what it says otherwise stays as it is. The trigger that refuses every
# change of a grant is lifted for this one statement, by the owner of the table, in this transaction alone.
GRANTS_OF_VERSION_1 = migrations.RunSQL(
    sql="""
    ALTER TABLE catalog_consentgrant DISABLE TRIGGER catalog_consentgrant_append_only;
    UPDATE catalog_consentgrant AS g SET level_version_id = l.in_force_id
        FROM catalog_consentlevel AS l WHERE l.id = g.level_id;
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE catalog_consentgrant ENABLE TRIGGER catalog_consentgrant_append_only;
    """,
    reverse_sql=migrations.RunSQL.noop,
)


def adopt(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make version 1 of every level, and put the level as it is on record."""
    level_model = apps.get_model("catalog", "ConsentLevel")
    version_model = apps.get_model("catalog", "ConsentLevelVersion")
    pair_model = apps.get_model("catalog", "ConsentPair")
    for level in level_model.objects.order_by("rank", "slug"):
        found = pair_model.objects.filter(level=level).values_list("action", "purpose")
        pairs = sorted(f"{action}:{purpose}" for action, purpose in found)
        label = {"name": level.name, "rank": level.rank, "description": level.description}
        said = label | {"description": recorded_text(level.description)}
        level.in_force = version_model.objects.create(level=level, number=1, pairs=pairs, effective=pairs, **label)
        level.save(update_fields=["in_force"])
        record(
            ConsentLevelAdopted(before=None, after={"slug": level.slug, "version": 1, **said, "pairs": [*pairs]}),
            subject=SubjectRef("consent_level", str(level.pk)),
            actor=Actor("system", "upgrade"),
        )


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0007_consent_level_versions"),
        ("audit", "0007_cosignature_by_witness"),
    ]

    operations = [migrations.RunPython(adopt, migrations.RunPython.noop), GRANTS_OF_VERSION_1]
