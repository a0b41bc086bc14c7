"""Closed vocabularies of the rulebook."""

from django.db.models import TextChoices


class RuleEffect(TextChoices):
    DENY = "deny", "Deny"
    PERMIT = "permit", "Permit"
