"""What a witness cosigned last is found at once, also where it never did, among however many checkpoints."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0006_outbox_not_updated"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="cosignature",
            index=models.Index(fields=["witness", "id"], name="cosignature_by_witness"),
        ),
    ]
