"""Closed vocabularies of the jobs area."""

from django.db.models import TextChoices


class JobState(TextChoices):
    """Where a job stands. `states.py` holds the allowed transitions."""

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
