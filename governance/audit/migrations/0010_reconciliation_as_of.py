"""How fresh the view of WORM storage is that a reconciliation had."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0009_ledger_by_actor"),
    ]

    operations = [
        migrations.AddField(
            model_name="reconciliationreport",
            name="newer_objects",
            field=models.JSONField(
                default=list, help_text="The first 100 objects from after that moment that nothing refers to, as text."
            ),
        ),
        migrations.AddField(
            model_name="reconciliationreport",
            name="store_as_of",
            field=models.DateTimeField(
                help_text="What was put into WORM storage after this moment is not part of the result.", null=True
            ),
        ),
    ]
