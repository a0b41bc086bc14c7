"""Counts of what was refused, and who asked what was logged: `-` for questions from before they had numbers."""

import django.db.models.deletion
import governance.kernel.clock
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("opa", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="OpaRefusal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("not_strict", "JSON that readers understand differently, or nested too deeply"),
                            ("not_an_event", "not an object"),
                            ("no_decision_id", "no decision id that can be stored"),
                            ("no_timestamp", "no timestamp of a moment from the years 1 to 9999"),
                            ("wrong_type", "a member of another type than OPA writes"),
                            ("too_large", "larger than one event may be"),
                            ("past_limit", "past the limit of one upload"),
                            ("unstorable", "a value that the database cannot hold"),
                            ("upload", "a whole upload that cannot be read; the server sends it again"),
                        ],
                        max_length=20,
                    ),
                ),
                ("count", models.PositiveBigIntegerField(default=0)),
                ("detail", models.CharField(blank=True, help_text="What was wrong with the last one.", max_length=200)),
                ("last_at", models.DateTimeField(default=governance.kernel.clock.now)),
            ],
            options={
                "verbose_name": "OPA refusal",
                "ordering": ["-last_at"],
            },
        ),
        migrations.AddField(
            model_name="opadecisionlog",
            name="question",
            field=models.CharField(
                blank=True,
                db_index=True,
                default="-",
                help_text="The number of a question that Assent asked; empty where somebody else did.",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            model_name="opadecisionlog",
            name="question",
            field=models.CharField(
                blank=True,
                db_index=True,
                help_text="The number of a question that Assent asked; empty where somebody else did.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="opadecisionlog",
            name="subject",
            field=models.CharField(
                blank=True, help_text="The client or partner of ours that the input names, or 'other'.", max_length=120
            ),
        ),
        migrations.AddIndex(
            model_name="opadecisionlog",
            index=models.Index(condition=models.Q(("question", "")), fields=["-received_at"], name="opa_log_not_ours"),
        ),
        migrations.AddField(
            model_name="oparefusal",
            name="server",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="refusals", to="opa.opaserver"
            ),
        ),
        migrations.AddConstraint(
            model_name="oparefusal",
            constraint=models.UniqueConstraint(fields=("server", "day", "reason"), name="opa_refusal_once_a_day"),
        ),
    ]
