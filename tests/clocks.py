"""A clock for tests: time stands still unless a test moves it, so that no test depends on how fast the machine is."""

from datetime import UTC, datetime, timedelta
from itertools import count


class StandingClock:
    """Stands at the moment it was made, but for a microsecond at each reading: what happens later has a later time."""

    def __init__(self) -> None:
        self._start = datetime.now(UTC)
        self._readings = count()  # an atomic step, whichever thread reads

    def now(self) -> datetime:
        return self._start + timedelta(microseconds=next(self._readings))
