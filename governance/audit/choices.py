"""Choices of the audit area."""

from django.db import models


class WormKind(models.TextChoices):
    """What lies in WORM storage; each kind has retention classes of its own."""

    EVIDENCE = "evidence", "Evidence"
    CHECKPOINT = "checkpoint", "Checkpoint of the log"
    POLICY = "policy", "Policy revision"


class ScrubState(models.TextChoices):
    """How far a scrub of the WORM store is."""

    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"
