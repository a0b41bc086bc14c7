"""Why a creator was suspended and a work put into quarantine; an erasure removes both."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_erasure"),
    ]

    operations = [
        migrations.AddField(
            model_name="creator",
            name="status_reason",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                help_text="Why the creator was suspended or reinstated last.",
                max_length=300,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="asset",
            name="status_reason",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                help_text="Why the work was put into quarantine or taken out last.",
                max_length=300,
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="creator",
            name="slug",
            field=models.SlugField(
                help_text="Stable name used in policies and the ledger; not a real name.", unique=True
            ),
        ),
        migrations.RemoveConstraint(model_name="creator", name="creator_erased_has_no_name"),
        migrations.AddConstraint(
            model_name="creator",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at__isnull", True),
                    models.Q(
                        ("display_name", "Erased creator"),
                        ("email", ""),
                        ("status", "suspended"),
                        ("status_reason", ""),
                        ("uploaders", []),
                    ),
                    _connector="OR",
                ),
                name="creator_erased_has_no_name",
            ),
        ),
    ]
