"""Waiting for what another thread, process or server does: for a condition, and with patience for a slow machine."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

T = TypeVar("T")

#: Far longer than anything takes on a slow and busy machine; what never happens fails the test after it.
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.02


def wait_until(condition: Callable[[], object], *, pause: float = PAUSE_SECONDS) -> None:
    """Return once the condition holds. Raises AssertionError when it does not within PATIENCE_SECONDS."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < ends, f"it did not happen within {PATIENCE_SECONDS:.0f} s"
        time.sleep(pause)


def eventually(call: Callable[[], T], wanted: T) -> T:
    """Repeat a call until it gives what is wanted, or PATIENCE_SECONDS are over; return what it gave last."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while (found := call()) != wanted and time.monotonic() < ends:
        time.sleep(PAUSE_SECONDS)
    return found


def somebody_waits() -> bool:
    """Return whether a session of this worker's database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # what was seen once stays so until the transaction ends
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])
