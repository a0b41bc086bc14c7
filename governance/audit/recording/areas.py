"""The declared kinds of entries by area, for display."""

from dataclasses import dataclass

from django.apps import apps

from governance.audit.recording.declarations import Entry, declarations


@dataclass(frozen=True, slots=True)
class Area:
    """An area, by its Django label and its name, with its declared kinds in alphabetical order."""

    label: str
    name: str
    kinds: tuple[str, ...]


def kinds_by_area() -> list[Area]:
    """Return the areas that declare kinds, by name. Complete once Django has loaded its apps."""
    by_label: dict[str, list[str]] = {}
    for kind, declared in sorted(declarations().items()):
        by_label.setdefault(area_of(declared), []).append(kind)
    areas = [
        Area(label, str(apps.get_app_config(label).verbose_name), tuple(kinds)) for label, kinds in by_label.items()
    ]
    return sorted(areas, key=lambda area: area.name)


def area_of(declared: type[Entry]) -> str:
    """Return the Django label of the area that declares a kind."""
    config = apps.get_containing_app_config(declared.__module__)
    if config is None:
        raise LookupError(f"{declared.__qualname__} is declared outside every area.")
    return config.label
