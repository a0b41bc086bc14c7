"""Django application of the audit area."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class AuditConfig(AppConfig):
    name = "governance.audit"
    label = "audit"
    verbose_name = "Audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Load what every area declares: kinds of entries first, then the checks that compare them with rows."""
        autodiscover_modules("entries")
        autodiscover_modules("reconciliation")
