"""Django application that binds every port to its adapter once all areas are loaded."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from governance.audit.guards.database_role import refuse_powerful
from governance.config import wiring


class CompositionConfig(AppConfig):
    name = "governance.config"
    label = "composition"
    verbose_name = "Composition"

    def ready(self) -> None:
        wiring.bind_all()
        connection_created.connect(refuse_powerful, dispatch_uid="database_role")
