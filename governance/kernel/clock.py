"""The only source of the current time, so that tests can stop the clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        """Return the machine's time, in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that moves only by `advance`; for tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time that was set last."""
        return self._now

    def advance(self, *, seconds: float) -> None:
        """Move by `seconds`; negative values move back."""
        self._now += timedelta(seconds=seconds)


_current: Clock = SystemClock()


def now() -> datetime:
    """Return the current time, aware and in UTC."""
    return _current.now()


@contextmanager
def using(clock: Clock) -> Iterator[Clock]:
    """Use `clock` inside the block, in every thread of this process."""
    global _current
    previous, _current = _current, clock
    try:
        yield clock
    finally:
        _current = previous
