"""Tables of the jobs area: jobs, their inputs, events and outputs."""

from django.db import models

from governance.audit.guards.frozen import FrozenColumns
from governance.catalog.models import SHA256, Asset
from governance.decisions.models import DecisionRecord
from governance.jobs.choices import JobState
from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import PURPOSE_CHOICES
from governance.partners.models import AccessToken, ApiClient, Partner
from governance.partners.types import LONGEST_TOKEN_LIFE, TokenUse
from governance.registry.models import ModelVersion
from governance.registry.tasks import task_choices

WORKED_ON = [JobState.LEASED, JobState.RUNNING, JobState.RELEASING]
OPEN_STATES = [*WORKED_ON, JobState.QUEUED, JobState.MODERATING, JobState.SEALING]


class Job(FrozenColumns):
    """One request of a partner to run a model, from admission to its end."""

    frozen = frozenset(
        {
            "partner",
            "client",
            "model_version",
            "purpose",
            "idempotency_key",
            "request_digest",
            "admission",
            "task",
            "token_grant",
            "token",
            "token_issued_at",
            "created_at",
        }
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="jobs")
    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="jobs")
    task = models.CharField(max_length=32, choices=task_choices)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="jobs")
    purpose = models.CharField(max_length=32, choices=PURPOSE_CHOICES)
    token_grant = models.JSONField(help_text="What the token covered at submission (RFC 9396 authorization_details).")
    token = models.ForeignKey(
        AccessToken,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        help_text="Its key stays when the token is deleted. Empty for jobs from before version 0.3.",
    )
    token_issued_at = models.DateTimeField(null=True)
    idempotency_key = models.CharField(max_length=128)
    request_digest = models.CharField(max_length=64, validators=[SHA256])
    request_id = models.CharField(max_length=64, blank=True)

    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.QUEUED)
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    cancel_requested = models.BooleanField(default=False)
    deadline = models.DateTimeField(help_text="A job not finished by then is cancelled.")

    fencing_token = models.PositiveBigIntegerField(default=0, help_text="Goes up with every lease.")
    lease_owner = models.CharField(max_length=128, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    dispatched_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(default=clock.now, help_text="Not taken by a worker before this moment.")

    admission = models.OneToOneField(DecisionRecord, on_delete=models.PROTECT, related_name="admitted_job")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "idempotency_key"], name="job_once_per_idempotency_key"),
            models.CheckConstraint(
                condition=models.Q(state__in=WORKED_ON, lease_until__isnull=False)
                | (~models.Q(state__in=WORKED_ON) & models.Q(lease_until__isnull=True)),
                name="job_lease_only_while_worked_on",
            ),
            models.CheckConstraint(
                condition=models.Q(finished_at__isnull=True, state__in=OPEN_STATES)
                | (models.Q(finished_at__isnull=False) & ~models.Q(state__in=OPEN_STATES)),
                name="job_finished_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "-id"], name="job_by_partner"),
            models.Index(fields=["state", "lease_until"], name="job_open", condition=models.Q(state__in=OPEN_STATES)),
        ]

    def __str__(self) -> str:
        return f"{self.get_task_display()} {str(self.id)[-8:]}"

    @property
    def token_use(self) -> TokenUse:
        """With which token the job was submitted; one that was not kept is taken for as old as can be."""
        issued_at = self.token_issued_at or self.created_at - LONGEST_TOKEN_LIFE
        return TokenUse(self.partner_id, self.token_id, issued_at)


class JobInput(models.Model):
    """An asset that a job reads, with the digest it had at admission."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="inputs")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="job_inputs")
    sha256 = models.CharField(max_length=64, validators=[SHA256])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "asset"], name="job_input_once")]
        verbose_name = "job input"

    def __str__(self) -> str:
        return f"{self.asset}"


class JobEvent(models.Model):
    """A step in a job's life. Append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="events")
    from_state = models.CharField(max_length=16, blank=True)
    to_state = models.CharField(max_length=16, choices=JobState.choices)
    actor_type = models.CharField(max_length=32)
    actor_id = models.CharField(max_length=128)
    reason_code = models.CharField(max_length=64, blank=True)
    fencing_token = models.PositiveBigIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        verbose_name = "job event"

    def __str__(self) -> str:
        return f"{self.from_state or 'new'} → {self.to_state}"


class OutputCandidate(models.Model):
    """What the model made, before moderation and release. Append-only; its bytes are removed when the job ends."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="candidate")
    fencing_token = models.PositiveBigIntegerField()
    object_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, validators=[SHA256])
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    device = models.CharField(max_length=32)
    duration_ms = models.PositiveIntegerField(help_text="Milliseconds in the model runtime.")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "output candidate"

    def __str__(self) -> str:
        return f"Candidate of job {self.job_id}"


class JobOutput(models.Model):
    """What a job made. Exactly one per job; readable by the partner only once the job is released. Append-only."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="output")
    object_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, validators=[SHA256])
    size = models.BigIntegerField(help_text="Bytes.")
    media_type = models.CharField(max_length=100)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    obligations_applied = models.JSONField(default=list)
    release_decision = models.OneToOneField(DecisionRecord, on_delete=models.PROTECT, related_name="released_output")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "output"

    def __str__(self) -> str:
        return f"Output of job {self.job_id}"
