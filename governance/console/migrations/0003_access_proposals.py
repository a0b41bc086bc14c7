"""Adds proposals of more access for users and groups, and what PostgreSQL holds about them."""

import django.db.models.functions.text
import governance.kernel.clock
import governance.kernel.ids
from django.db import migrations, models

from governance.audit.guards.triggers import frozen_columns

DECIDED_FOR_GOOD = migrations.RunSQL(
    sql="""
    CREATE TRIGGER console_accessproposal_decided BEFORE UPDATE ON console_accessproposal
        FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION assent_refuse_change();
    """,
    reverse_sql="DROP TRIGGER console_accessproposal_decided ON console_accessproposal;",
)


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0002_session_bounds"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessProposal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=governance.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("roles", "More for a user"),
                            ("permissions", "More for a group"),
                            ("second_factor", "A new second factor"),
                        ],
                        max_length=16,
                    ),
                ),
                ("subject_key", models.CharField(help_text="Key of the user or group.", max_length=40)),
                ("gains", models.JSONField(help_text="What the user or group would have besides what it has.")),
                ("reason", models.CharField(help_text="Why; whoever approves reads this.", max_length=500)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("proposed_by", models.CharField(max_length=150)),
                ("proposed_at", models.DateTimeField(default=governance.kernel.clock.now)),
                ("decided_by", models.CharField(blank=True, max_length=150)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "access proposal",
                "ordering": ["-proposed_at"],
                "default_permissions": ("view",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "approved"), _negated=True),
                            models.Q(
                                ("decided_by__startswith", "user:"),
                                models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="accessproposal_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "approved"), _negated=True),
                            ("kind", "permissions"),
                            models.Q(
                                (
                                    "decided_by",
                                    django.db.models.functions.text.Concat(
                                        models.Value("user:"), models.F("subject_key")
                                    ),
                                ),
                                _negated=True,
                            ),
                            _connector="OR",
                        ),
                        name="accessproposal_not_approved_by_who_gains",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("decided_by", ""), ("state", "open")),
                            models.Q(
                                models.Q(("state", "open"), _negated=True),
                                models.Q(("decided_by", ""), _negated=True),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="accessproposal_decided_by_somebody",
                    ),
                ],
            },
        ),
        frozen_columns(
            "console_accessproposal", ["id", "kind", "subject_key", "gains", "reason", "proposed_by", "proposed_at"]
        ),
        DECIDED_FOR_GOOD,
    ]
