"""Calls a partner a partner where a role says whom it is for."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("partners", "0004_states_on_record")]

    operations = [
        migrations.AlterField(
            model_name="role",
            name="partner",
            field=models.ForeignKey(
                blank=True,
                help_text="The one partner that the role is for; empty: any.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="roles",
                to="partners.partner",
            ),
        ),
    ]
