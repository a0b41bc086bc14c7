"""Closed vocabularies of the partners area."""

from django.db.models import TextChoices


class PartnerStatus(TextChoices):
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
