"""Django application of the console area."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "governance.console"
    label = "console"
    verbose_name = "Console"
