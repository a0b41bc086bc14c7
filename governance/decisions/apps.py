"""Django application of the decisions area."""

from django.apps import AppConfig


class DecisionsConfig(AppConfig):
    """Decisions, permits and permitted sets."""

    name = "governance.decisions"
    label = "decisions"
    verbose_name = "Decisions"
    default_auto_field = "django.db.models.BigAutoField"
