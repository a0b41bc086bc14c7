"""Tables of the decisions area: decision records and permits."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from governance.audit.guards.frozen import FrozenColumns
from governance.decisions.choices import DecisionEffect, DecisionKind, FlipDirection, ReplayState
from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.rulebook.models import PolicyDraft


class DecisionRecord(models.Model):
    """One decision about a batch of questions, with everything that led to it.

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
    licence_versions = models.JSONField(
        default=dict, help_text="Model slug to licence and version at that moment, such as open/3."
    )
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


class Permit(FrozenColumns):
    """A signed, single-use, short-lived permission to run one job on one input with one artifact.

    Everything but `redeemed_at` and `redeemed_by` is frozen by trigger.
    """

    frozen = frozenset(
        {
            "decision",
            "job_id",
            "fencing_token",
            "input_sha256",
            "artifact_sha256",
            "envelope",
            "issued_at",
            "expires_at",
            "revision_digest",
            "consent_epochs",
            "licence_versions",
            "obligations",
        }
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    decision = models.OneToOneField(DecisionRecord, on_delete=models.PROTECT, related_name="permit")
    job_id = models.UUIDField(db_index=True)
    fencing_token = models.PositiveBigIntegerField()
    input_sha256 = models.CharField(max_length=64)
    artifact_sha256 = models.CharField(max_length=64)
    revision_digest = models.CharField(max_length=64)
    consent_epochs = models.JSONField()
    licence_versions = models.JSONField(default=dict)
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


class ReplayReport(FrozenColumns):
    """A replay of recorded decisions by a draft: its progress, and how many decisions would change."""

    frozen = frozenset({"draft", "draft_digest", "since", "until", "asked_by"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    draft = models.ForeignKey(PolicyDraft, on_delete=models.PROTECT, related_name="replays")
    draft_digest = models.CharField(max_length=64, help_text="The content that was replayed.")
    base_digest = models.CharField(max_length=64, blank=True, help_text="The revision that decided meanwhile.")
    state = models.CharField(max_length=12, choices=ReplayState.choices, default=ReplayState.QUEUED)
    since = models.DateTimeField()
    until = models.DateTimeField()
    sample_percent = models.PositiveSmallIntegerField(default=100, help_text="100 replays every decision.")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0, help_text="Decisions that no policy made, or that lack a fact.")
    to_deny = models.PositiveIntegerField(default=0)
    to_permit = models.PositiveIntegerField(default=0)
    cursor = models.UUIDField(null=True, help_text="The last decision that was looked at.")
    cancel_asked = models.BooleanField(default=False)
    summary = models.JSONField(default=dict, help_text="Counts of flips by direction and by dimension.")
    problem = models.CharField(max_length=300, blank=True)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField(default=clock.now)
    heard_at = models.DateTimeField(default=clock.now, help_text="When it last moved on.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at"]
        verbose_name = "replay report"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sample_percent__gte=1, sample_percent__lte=100), name="replay_sample_is_a_share"
            ),
            models.CheckConstraint(condition=models.Q(since__lt=models.F("until")), name="replay_window_in_order"),
        ]

    def __str__(self) -> str:
        return f"Replay of draft {self.draft.number}"


class ReplayFlip(models.Model):
    """One recorded decision that the draft would change."""

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(ReplayReport, on_delete=models.CASCADE, related_name="flips")
    decision = models.ForeignKey(DecisionRecord, on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=12, choices=FlipDirection.choices)
    by_draft = models.BooleanField(help_text="False where the active revision would answer otherwise already.")
    partner = models.SlugField()
    rules = ArrayField(models.CharField(max_length=100), help_text="The rules that make the difference.")
    creators = ArrayField(models.CharField(max_length=100))
    model_slugs = ArrayField(models.CharField(max_length=100))
    actions = ArrayField(models.CharField(max_length=32))

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["report", "decision"], name="replay_flip_once")]

    def __str__(self) -> str:
        return f"{self.get_direction_display()}: {self.decision_id}"
