"""Closed vocabularies of the jobs area."""

from django.db.models import TextChoices


class JobState(TextChoices):
    """The state of a job. `states.py` has the allowed transitions."""

    QUEUED = "queued", "Queued"
    LEASED = "leased", "Leased"
    RUNNING = "running", "Running"
    MODERATING = "moderating", "Waiting for moderation"
    RELEASING = "releasing", "Deciding release"
    SEALING = "sealing", "Sealing evidence"
    RELEASED = "released", "Released"
    DENIED = "denied", "Denied"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"
