"""Choices of the audit area."""

from django.db import models


class WormKind(models.TextChoices):
    """What is kept in WORM storage; each kind has its own retention classes."""

    EVIDENCE = "evidence", "Evidence"
    CHECKPOINT = "checkpoint", "Checkpoint of the log"
    POLICY = "policy", "Policy revision"


class ScrubState(models.TextChoices):
    """The state of a scrub of the WORM store."""

    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"
