"""Licences from before they had versions become version 1."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.registry.entries import LicenceAdopted
from governance.registry.licence_terms import LicenceContent

TERMS = ("name", "purposes", "regions", "partners", "valid_from", "valid_until", "obligations", "terms_url")


def adopt(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make version 1 of every licence, and put the licence as it is on record."""
    version_model = apps.get_model("registry", "LicenceVersion")
    for licence in apps.get_model("registry", "Licence").objects.order_by("slug"):
        terms = {name: getattr(licence, name) for name in TERMS}
        licence.in_force = version_model.objects.create(licence=licence, number=1, **terms)
        licence.save(update_fields=["in_force"])
        state = {"slug": licence.slug, "version": 1, **LicenceContent.of(licence).to_json()}
        subject = SubjectRef("licence", str(licence.pk))
        record(LicenceAdopted(before=None, after=state), subject=subject, actor=Actor("system", "upgrade"))


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0006_licence_versions"),
        ("audit", "0007_cosignature_by_witness"),
    ]

    operations = [migrations.RunPython(adopt, migrations.RunPython.noop)]
