"""Closed vocabularies of the decisions area."""

from django.db.models import TextChoices


class DecisionKind(TextChoices):
    """At which point of the way the question was asked."""

    ADMISSION = "admission", "Admission"
    PERMIT = "permit", "Permit"
    RELEASE = "release", "Release"


class DecisionEffect(TextChoices):
    """The answer of a decision."""

    PERMIT = "permit", "Permit"
    DENY = "deny", "Deny"


class ReplayState(TextChoices):
    """Where a replay stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"


class FlipDirection(TextChoices):
    """What would have become of a decision."""

    TO_DENY = "to_deny", "Permit becomes deny"
    TO_PERMIT = "to_permit", "Deny becomes permit"
