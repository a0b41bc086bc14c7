"""Tables of the OPA area: the servers, what they reported, and what they logged."""

from django.core.validators import RegexValidator
from django.db import models

from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.opa.choices import Refusal

#: The characters that need no quoting in a URL and in an OPA label.
SERVER_NAME = RegexValidator(r"^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$", "Use small letters, digits and hyphens.")
#: The number of questions from before questions had numbers.
UNNUMBERED = "-"


class OpaServer(models.Model):
    """One OPA server (or one set of equal replicas) with a credential of its own, and what it reported last."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=50, unique=True, validators=[SERVER_NAME])
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    key_id = models.CharField(
        max_length=64, editable=False, help_text="The key by which it verifies bundles, as its configuration says."
    )
    created_by = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    opa_id = models.CharField(max_length=100, blank=True, editable=False)
    version = models.CharField(max_length=50, blank=True, editable=False)
    revision = models.CharField(max_length=64, blank=True, editable=False, help_text="The revision that it runs.")
    error = models.TextField(blank=True, editable=False, help_text="Why its last attempt at a bundle failed.")

    class Meta:
        ordering = ["name"]
        verbose_name = "OPA server"

    def __str__(self) -> str:
        return self.name


class OpaStatus(models.Model):
    """A status report with a change: another process, revision or error. Append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    server = models.ForeignKey(OpaServer, on_delete=models.PROTECT, related_name="reports")
    opa_id = models.CharField(max_length=100, blank=True)
    version = models.CharField(max_length=50, blank=True)
    revision = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = "OPA status report"
        verbose_name_plural = "OPA status reports"

    def __str__(self) -> str:
        return f"{self.server} at {self.received_at:%Y-%m-%d %H:%M:%S}"


class OpaDecisionLog(models.Model):
    """One decision that an OPA server reports. It never has facts. Append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    server = models.ForeignKey(OpaServer, on_delete=models.PROTECT, related_name="logs")
    decision_id = models.CharField(max_length=100, help_text="The id that the OPA server gave the decision.")
    path = models.CharField(max_length=200, blank=True)
    revision = models.CharField(max_length=64, blank=True)
    facts_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    question = models.CharField(
        max_length=64,
        blank=True,
        db_index=True,
        help_text="The number of a question that Assent asked; empty where somebody else did.",
    )
    subject = models.CharField(
        max_length=120, blank=True, help_text="The client or partner of ours that the input names, or 'other'."
    )
    answers = models.JSONField(default=list, help_text="Effect and matched rules of each request, in order.")
    event = models.JSONField(help_text="The event as it was received, without facts.")
    decided_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = "OPA decision log"
        constraints = [
            models.UniqueConstraint(fields=["server", "decision_id"], name="opa_log_once_per_server"),
        ]
        indexes = [
            models.Index(fields=["-received_at"], name="opa_log_by_time"),
            models.Index(fields=["-received_at"], condition=models.Q(question=""), name="opa_log_not_ours"),
        ]

    def __str__(self) -> str:
        return self.decision_id


class OpaRefusal(models.Model):
    """How much of what a server sent on one day was not taken, for one reason. Counted, so that it stays small."""

    id = models.BigAutoField(primary_key=True)
    server = models.ForeignKey(OpaServer, on_delete=models.PROTECT, related_name="refusals")
    day = models.DateField()
    reason = models.CharField(max_length=20, choices=Refusal.choices)
    count = models.PositiveBigIntegerField(default=0)
    detail = models.CharField(max_length=200, blank=True, help_text="What was wrong with the last one.")
    last_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-last_at"]
        verbose_name = "OPA refusal"
        constraints = [
            models.UniqueConstraint(fields=["server", "day", "reason"], name="opa_refusal_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.server}, {self.day}: {self.get_reason_display()}"
