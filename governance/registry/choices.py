"""Closed vocabularies of the model registry."""

from typing import Final

from django.db.models import TextChoices


class Stage(TextChoices):
    STAGING = "staging", "Staging"
    PRODUCTION = "production", "Production"
    RETIRED = "retired", "Retired"


class LicenceState(TextChoices):
    """The state of a licence at a moment."""

    ACTIVE = "active", "Active"
    NOT_STARTED = "not_started", "Not started"
    EXPIRED = "expired", "Expired"


PRODUCTION_ALIAS: Final = "production"
"""The alias used when none is named. It points to a version in stage production, or does not exist."""
