"""Moderators, one file each. ASSENT_MODERATOR names the one that a worker uses."""

from typing import Final, Protocol

from governance.kernel.adapters import Adapters, Place
from governance.workflows.ports import Moderator
from inference_workers.capacity import Room


class ModeratorFactory(Protocol):
    """Makes a moderator that looks at images of up to `max_pixels` in up to `max_views` views, within `room`."""

    def __call__(self, *, max_pixels: int, max_views: int, room: Room) -> Moderator: ...


MODERATORS: Final[Adapters[ModeratorFactory]] = Adapters(
    "moderator",
    {"nudenet-320n": Place("inference_workers.moderators.nudenet:NudeNetModerator", "NudeNet 320n (nudity in images)")},
)
