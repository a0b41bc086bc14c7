"""How much a worker process works on at a time, so that its memory is bounded whatever its threads are given."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Final

from governance.workflows.ports import Heartbeat

LOOK_SECONDS: Final = 0.5
"""How often what waits asks whether it may go on waiting."""


def nobody() -> None:
    """Be a heartbeat that nobody listens to."""


class Room:
    """Room for so many pixels. Pictures that do not fit beside those in work wait for their turn, in order."""

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._used = 0
        self._waiting: deque[object] = deque()
        self._changed = Condition()

    @contextmanager
    def hold(self, pixels: int, heartbeat: Heartbeat) -> Iterator[None]:
        """Hold room for a picture inside the block; one that is larger than the room takes all of it.

        What `heartbeat` raises while it waits ends the waiting.
        """
        share = min(pixels, self._pixels)
        self._take(share, heartbeat)
        try:
            yield
        finally:
            with self._changed:
                self._used -= share
                self._changed.notify_all()

    def _take(self, share: int, heartbeat: Heartbeat) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
        try:
            while not self._taken(ticket, share):
                heartbeat()
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _taken(self, ticket: object, share: int) -> bool:
        with self._changed:
            fits = self._waiting[0] is ticket and self._used + share <= self._pixels
            if fits:
                self._used += share
            else:
                self._changed.wait(LOOK_SECONDS)
        return fits
