"""Choices of the console's own tables."""

from django.db.models import TextChoices


class AccessState(TextChoices):
    """Where a proposal about somebody's access is on its way."""

    OPEN = "open", "Open"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class AccessKind(TextChoices):
    """What a proposal about somebody's access asks for."""

    ROLES = "roles", "More for a user"
    PERMISSIONS = "permissions", "More for a group"
    SECOND_FACTOR = "second_factor", "A new second factor"
