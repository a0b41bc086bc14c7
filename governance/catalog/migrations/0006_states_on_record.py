"""Puts creators, datasets and works on record as they are, so that from now on the ledger alone says what each was."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Model

from governance.audit.evidence.commitments import commitment_of
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.catalog.entries import CreatorAdopted, DatasetAdopted
from governance.catalog.states import recorded_text
from governance.kernel.ids import new_secret

UPGRADE = Actor("system", "upgrade")

# One entry for each work, although `asset.registered` tells of most of it: otherwise reconciliation, `ledger asof` and
# optimistic locking would have to know for ever which works are from before. One statement writes 100,000 of them in
# four seconds, 0.4 KB each; row by row it would take minutes. The body is canonical JSON (RFC 8785): members in order,
# no blanks, and PostgreSQL escapes in strings what section 3.2.2.2 asks for, no more. Titles were not committed to, so
# the state has none until the title is changed.
WORKS = r"""
INSERT INTO audit_outboxentry (entry_id, kind, subject_type, subject_id, actor_type, actor_id, occurred_at, body)
SELECT entry_id, 'asset.adopted', 'asset', id::text, 'system', 'upgrade', now(), convert_to(
    '{"actor":{"id":"upgrade","type":"system"},"at":"' || to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    || '","data":{"after":{"creator":"' || creator_id || '","dataset":' || coalesce('"' || dataset_id || '"', 'null')
    || ',"status":"' || status || '","status_reason":null,"tags":['
    || coalesce((SELECT string_agg(to_json(tag)::text, ',' ORDER BY place)
                 FROM unnest(tags) WITH ORDINALITY AS each(tag, place)), '')
    || '],"title":null},"before":null},"entry_id":"' || entry_id || '","kind":"asset.adopted","subject":{"id":"' || id
    || '","type":"asset"},"v":1}', 'UTF8')
FROM (
    SELECT gen_random_uuid() AS entry_id, now() AT TIME ZONE 'UTC' AS moment, id, creator_id, dataset_id, status, tags
    FROM catalog_asset
    ORDER BY id
) AS work
"""


def adopt(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Record every creator and dataset; a name or address that was never committed to is committed to now."""
    for creator in apps.get_model("catalog", "Creator").objects.order_by("pk"):
        subject = SubjectRef("creator", str(creator.pk))
        personal = {name: _commitment(apps, subject, creator, name) for name in ("display_name", "email")}
        state = {
            "slug": creator.slug,
            "region": creator.region,
            "status": creator.status,
            "uploaders": [*creator.uploaders],
            "erased": creator.erased_at is not None,
            **personal,
            "status_reason": None,
        }
        record(CreatorAdopted(before=None, after=state), subject=subject, actor=UPGRADE)
    for dataset in apps.get_model("catalog", "Dataset").objects.order_by("pk"):
        state = {"slug": dataset.slug, "name": dataset.name, "description": recorded_text(dataset.description)}
        subject = SubjectRef("dataset", str(dataset.pk))
        record(DatasetAdopted(before=None, after=state), subject=subject, actor=UPGRADE)


def _commitment(apps: Apps, subject: SubjectRef, creator: Model, name: str) -> dict[str, str] | None:
    value = getattr(creator, name)
    if creator.erased_at is not None or not value:
        return None
    salts = apps.get_model("audit", "CommitmentSalt").objects
    about = {"subject_type": subject.type, "subject_id": subject.id, "name": name}
    kept = salts.filter(**about).order_by("created_at", "id").last() or salts.create(**about, salt=new_secret())
    return {"commitment": commitment_of(name=name, salt=bytes(kept.salt), value=value)}


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0005_status_reasons"),
        ("audit", "0007_cosignature_by_witness"),
    ]

    operations = [
        migrations.RunPython(adopt, migrations.RunPython.noop),
        migrations.RunSQL(WORKS, migrations.RunSQL.noop),
    ]
