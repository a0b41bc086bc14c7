"""Closed vocabularies of the rulebook."""

from django.db.models import TextChoices


class RuleEffect(TextChoices):
    """What follows when a rule matches."""

    DENY = "deny", "Deny"
    PERMIT = "permit", "Permit"


class DraftState(TextChoices):
    """The states of a draft, from the first to the last."""

    DRAFT = "draft", "Draft"
    CHECKED = "checked", "Checked"
    REPLAYED = "replayed", "Replayed"
    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    ACTIVE = "active", "Active"
    SUPERSEDED = "superseded", "Superseded"
    REJECTED = "rejected", "Rejected"


class ActivationKind(TextChoices):
    """How a revision became active."""

    REVIEWED = "reviewed", "Approved draft"
    ROLLBACK = "rollback", "Rolled back"
    UNREVIEWED = "unreviewed", "Without review"
