"""What a replay found stays as it was found."""

from django.db import migrations

from governance.audit.guards.triggers import append_only, frozen_columns


class Migration(migrations.Migration):
    dependencies = [
        ("decisions", "0003_replay"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        append_only("decisions_replayflip"),
        frozen_columns("decisions_replayreport", ["id", "draft_id", "draft_digest", "since", "until", "asked_by"]),
    ]
