"""Puts console users and their groups on record as they are: what each may do, not whose account it is.

The states are written out here as they are in this version, whatever later ones add.
"""

from collections.abc import Iterable

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Model

from governance.audit.recording.record import record
from governance.audit.recording.states import State
from governance.audit.types import Actor, SubjectRef
from governance.console.entries import GroupAdopted, UserAdopted
from governance.kernel.canonical import Json

UPGRADE = Actor("system", "upgrade")


def adopt(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Record every group and every user with its state."""
    for group in apps.get_model("auth", "Group")._default_manager.order_by("pk"):
        of_group: State = {"name": group.name, "permissions": _codes(group.permissions.all())}
        record(GroupAdopted(before=None, after=of_group), subject=SubjectRef("group", str(group.pk)), actor=UPGRADE)
    for user in apps.get_model("auth", "User")._default_manager.order_by("pk"):
        of_user: State = {
            "active": user.is_active,
            "staff": user.is_staff,
            "superuser": user.is_superuser,
            "groups": [*sorted(group.name for group in user.groups.all())],
            "permissions": _codes(user.user_permissions.all()),
        }
        record(UserAdopted(before=None, after=of_user), subject=SubjectRef("user", str(user.pk)), actor=UPGRADE)


def _codes(permissions: Iterable[Model]) -> list[Json]:
    return [*sorted(f"{each.content_type.app_label}.{each.codename}" for each in permissions)]


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("audit", "0007_cosignature_by_witness"),
    ]

    operations = [migrations.RunPython(adopt, migrations.RunPython.noop)]
