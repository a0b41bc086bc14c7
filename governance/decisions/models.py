"""Tables of the decisions area: decision records and permits."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from governance.decisions.choices import DecisionEffect, DecisionKind
from governance.kernel import clock
from governance.kernel.ids import new_id


class DecisionRecord(models.Model):
    """One answer of the policy decision point to a batch of questions, with all that led to it.

    Append-only by trigger. Subjects are named as text, so that the record outlives them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=DecisionKind.choices)
    job_id = models.UUIDField(db_index=True)
    partner = models.SlugField(db_index=True)
    client_id = models.CharField(max_length=100)
    purpose = models.CharField(max_length=32)
    effect = models.CharField(max_length=8, choices=DecisionEffect.choices)
    reason_codes = ArrayField(models.CharField(max_length=64), default=list)
    reasons = models.JSONField(default=list, help_text="Code, sentence and rule of each reason.")
    evaluations = models.JSONField(
        help_text="One per resource: action, resource, effect, matched rules, reasons, obligations, facts."
    )
    obligations = models.JSONField(default=list)
    consent_epochs = models.JSONField(default=dict, help_text="Creator slug to consent epoch at that moment.")
    facts_digest = models.CharField(max_length=64)
    revision_digest = models.CharField(max_length=64, blank=True, help_text="Empty when no revision was active.")
    engine = models.CharField(max_length=32)
    duration_us = models.PositiveIntegerField(help_text="Microseconds spent in the engine.")
    request_id = models.CharField(max_length=64, blank=True)
    decided_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-decided_at"]
        verbose_name = "decision"
        indexes = [
            models.Index(fields=["partner", "-id"], name="decision_by_partner"),
            models.Index(fields=["-decided_at"], name="decision_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["job_id"],
                condition=models.Q(kind=DecisionKind.ADMISSION),
                name="decision_one_admission_per_job",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_effect_display()}"


class Permit(models.Model):
    """A signed, single-use, short-lived leave to run one job on one input with one artifact.

    Everything but `redeemed_at` and `redeemed_by` is frozen by trigger.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    decision = models.OneToOneField(DecisionRecord, on_delete=models.PROTECT, related_name="permit")
    job_id = models.UUIDField(db_index=True)
    fencing_token = models.PositiveBigIntegerField()
    input_sha256 = models.CharField(max_length=64)
    artifact_sha256 = models.CharField(max_length=64)
    revision_digest = models.CharField(max_length=64)
    consent_epochs = models.JSONField()
    obligations = models.JSONField()
    envelope = models.TextField(help_text="The DSSE envelope that the runtime verifies.")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    redeemed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-issued_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("issued_at")), name="permit_window_in_order"
            ),
            models.UniqueConstraint(fields=["job_id", "fencing_token"], name="permit_once_per_lease"),
        ]

    def __str__(self) -> str:
        return f"Permit for job {self.job_id}"
