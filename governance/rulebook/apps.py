"""Django application of the rulebook area."""

from django.apps import AppConfig


class RulebookConfig(AppConfig):
    """Rules, policy revisions and their life cycle."""

    name = "governance.rulebook"
    label = "rulebook"
    verbose_name = "Rulebook"
    default_auto_field = "django.db.models.BigAutoField"
