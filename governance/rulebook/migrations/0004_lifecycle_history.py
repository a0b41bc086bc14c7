"""What was edited, decided and frozen stays as it was written; PostgreSQL itself refuses to change it."""

from django.conf import settings
from django.db import migrations

from governance.audit.guards.triggers import append_only, frozen_columns


def note_known_editors(apps, schema_editor):
    """Rules written before edits were kept name two of their editors: neither may approve them now."""
    app, model = settings.AUTH_USER_MODEL.split(".")
    people = dict(apps.get_model(app, model).objects.values_list("username", "pk"))
    edits = apps.get_model("rulebook", "RuleEdit").objects
    for rule in apps.get_model("rulebook", "AbacRule").objects.all():
        for name in {rule.created_by, rule.updated_by} & set(people):
            edits.create(slug=rule.slug, person=f"user:{people[name]}", edited_at=rule.updated_at)


class Migration(migrations.Migration):
    dependencies = [
        ("rulebook", "0003_lifecycle"),
        ("audit", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(note_known_editors, migrations.RunPython.noop),
        append_only("rulebook_ruleedit"),
        append_only("rulebook_draftevent"),
        append_only("rulebook_revisionanchor"),
        frozen_columns("rulebook_policydraft", ["id", "number", "created_by", "created_at"]),
        frozen_columns("rulebook_policyfreeze", ["id", "reason", "frozen_by", "frozen_at"]),
    ]
