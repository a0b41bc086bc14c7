"""Django application of the demo area."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The sample marketplace."""

    name = "governance.demo"
    label = "demo"
    verbose_name = "Demo"
