"""Closed vocabularies of the decisions area."""

from django.db.models import TextChoices


class DecisionKind(TextChoices):
    """At which point of the way the question was asked."""

    ADMISSION = "admission", "Admission"
    PERMIT = "permit", "Permit"
    RELEASE = "release", "Release"


class DecisionEffect(TextChoices):
    PERMIT = "permit", "Permit"
    DENY = "deny", "Deny"
