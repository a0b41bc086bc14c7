"""How much a worker process works on at a time, so that its memory is bounded whatever its threads are given."""

import ctypes
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Final

from governance.workflows.ports import Heartbeat

LOOK_SECONDS: Final = 0.5
"""How often what waits asks whether it may go on waiting."""


LARGE_PIXELS: Final = 1_000_000
"""A picture after which freed memory is given back to the system."""
LARGE_BLOCK: Final = 16 * 1024 * 1024
"""Bytes. Larger blocks are mapped one by one, and go back to the system when they are freed. Tiles are smaller: they
come and go too often for that."""
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # of mallopt(3), from malloc.h
_LIBC: Final = ctypes.CDLL(None)


def keep_no_freed_memory() -> None:
    """Have the C library give large freed blocks back at once; no effect where it is another one than glibc.

    By default it raises its threshold to 32 MB as blocks come and go, and keeps what is smaller in an arena for each
    thread: a worker that has seen some large pictures would hold hundreds of megabytes of nothing.
    """
    if hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(_MMAP_THRESHOLD, LARGE_BLOCK)
        _LIBC.mallopt(_ARENA_MAX, 2)


def give_back_memory() -> None:
    """Give freed memory back to the system; no effect where the C library is another one than glibc."""
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)


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
            if share >= LARGE_PIXELS:
                give_back_memory()

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
