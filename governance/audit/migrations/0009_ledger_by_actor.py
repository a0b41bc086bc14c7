"""An index by which everything that somebody did is found."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0008_retention_on_record"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["actor_id", "index"], name="ledger_by_actor"),
        ),
    ]
