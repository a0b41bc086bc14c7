"""Django application that binds every port to its adapter once all areas are loaded."""

from django.apps import AppConfig

from governance.config import wiring


class CompositionConfig(AppConfig):
    name = "governance.config"
    label = "composition"
    verbose_name = "Composition"

    def ready(self) -> None:
        wiring.bind_all()
