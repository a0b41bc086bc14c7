"""Uploads that wait for a person: of bytes that another creator's work has, and spot checks."""

import django.contrib.postgres.fields
import django.db.models.deletion
import governance.kernel.clock
import governance.kernel.ids
from django.db import migrations, models

from governance.audit.guards.triggers import frozen_columns


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0009_consent_levels_are_policy"),
    ]

    operations = [
        migrations.AlterField(
            model_name="asset",
            name="status",
            field=models.CharField(
                choices=[("active", "Active"), ("in_review", "Waiting for review"), ("quarantined", "Quarantined")],
                default="active",
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="UploadReview",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=governance.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("same_bytes", "Another creator's work has the same bytes"),
                            ("spot_check", "Spot check"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("accepted", "Accepted"), ("refused", "Refused"), ("moved", "Moved to this creator")],
                        max_length=16,
                    ),
                ),
                (
                    "displaced",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        blank=True,
                        default=list,
                        help_text="Works that the decision put into quarantine.",
                        size=None,
                    ),
                ),
                ("opened_at", models.DateTimeField(default=governance.kernel.clock.now, editable=False)),
                ("decided_by", models.CharField(blank=True, help_text="Such as user:7.", max_length=161)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="review", to="catalog.asset"
                    ),
                ),
            ],
            options={
                "verbose_name": "claim",
                "ordering": [models.OrderBy(models.F("decided_at"), descending=True, nulls_first=True), "-opened_at"],
                "permissions": [("decide_uploadreview", "Can decide on claims")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decision", "")),
                            models.Q(
                                models.Q(("decision", ""), _negated=True), models.Q(("decided_at", None), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="upload_review_decided_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("displaced", []), ("decision", "moved"), _connector="OR"),
                        name="upload_review_displaces_when_moved",
                    ),
                ],
            },
        ),
        frozen_columns("catalog_uploadreview", ["id", "asset_id", "cause", "opened_at"]),
    ]
