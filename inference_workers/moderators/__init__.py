"""Moderators, one file each. ASSENT_MODERATOR names the one that a worker uses."""

from collections.abc import Callable
from typing import Final

from governance.kernel.adapters import Adapters, Place
from governance.workflows.ports import Moderator

MODERATORS: Final[Adapters[Callable[[], Moderator]]] = Adapters(
    "moderator",
    {"nudenet-320n": Place("inference_workers.moderators.nudenet:NudeNetModerator", "NudeNet 320n (nudity in images)")},
)
