"""Tables of the moderation area."""

from django.db import models

from governance.jobs.models import Job
from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.moderation.choices import ModerationStage


class ModerationVerdict(models.Model):
    """What a moderation model detected in the input or output of a job. Append-only by trigger."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="verdicts")
    stage = models.CharField(max_length=8, choices=ModerationStage.choices)
    fencing_token = models.PositiveBigIntegerField()
    content_sha256 = models.CharField(max_length=64)
    moderator = models.CharField(max_length=64)
    moderator_sha256 = models.CharField(max_length=64, help_text="SHA-256 of the moderation model's artifact.")
    score = models.FloatField(help_text="Highest confidence of an unsafe label, 0 to 1.")
    labels = models.JSONField(default=list, help_text="What was seen, unsafe or not, with its confidence.")
    duration_ms = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "moderation verdict"
        constraints = [
            models.UniqueConstraint(fields=["job", "stage", "fencing_token"], name="verdict_once_per_lease"),
            models.CheckConstraint(condition=models.Q(score__gte=0, score__lte=1), name="verdict_score_0_to_1"),
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} {self.score:.2f}"
