"""Closed vocabularies of the moderation area."""

from django.db.models import TextChoices


class ModerationStage(TextChoices):
    INPUT = "input", "Input"
    OUTPUT = "output", "Output"
