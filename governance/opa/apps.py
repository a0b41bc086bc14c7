"""Django application of the OPA area."""

from django.apps import AppConfig


class OpaConfig(AppConfig):
    """OPA servers: their bundles, decision logs and status."""

    name = "governance.opa"
    label = "opa"
    verbose_name = "OPA servers"
    default_auto_field = "django.db.models.BigAutoField"
