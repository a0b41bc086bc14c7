"""The tasks that models do, each described in one place.

A request names a task and a model does one. A new task needs a line in `TASKS` and a runtime that does it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of work: its name in requests and rules, and its label."""

    name: str
    title: str

    def output_pixels(self, config: Mapping[str, object], width: int, height: int) -> int:
        """Return how many pixels a model of this configuration makes of an input of that size in pixels.

        A model enlarges both edges by its `scale`; one without any keeps the size.
        """
        scale = config.get("scale", 1)
        return width * height * (scale**2 if isinstance(scale, int) else 1)


UPSCALE: Final = Task(name="upscale", title="Upscale (×2 super-resolution)")

TASKS: Final[Mapping[str, Task]] = MappingProxyType({task.name: task for task in (UPSCALE,)})


def task_choices() -> list[tuple[str, str]]:
    """Return the tasks as choices of a form or a column."""
    return [(task.name, task.title) for task in TASKS.values()]
