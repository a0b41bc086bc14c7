"""Django application of the operations area."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """What operators run: management commands."""

    name = "governance.operations"
    label = "operations"
    verbose_name = "Operations"
