"""Django application of the api area."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The REST API."""

    name = "governance.api"
    label = "api"
    verbose_name = "API"
