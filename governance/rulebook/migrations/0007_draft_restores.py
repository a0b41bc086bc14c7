"""Drafts that put an earlier revision back into force."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rulebook", "0006_rules_on_record")]

    operations = [
        migrations.AddField(
            model_name="policydraft",
            name="restores",
            field=models.ForeignKey(
                help_text="The earlier revision that this draft puts back; empty for a draft of the present rules.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="rulebook.policyrevision",
            ),
        ),
    ]
