"""A clock that notices when it is set back: retention depends on time, so the clock must be monitored."""

from datetime import datetime, timedelta
from pathlib import Path

from governance.audit.errors import WormClockFault
from governance.kernel import clock
from governance.kernel.canonical import timestamp
from governance.kernel.durable_files import replace_file

#: A time server may set the clock back by this much without a fault; retention is counted in days.
CLOCK_TOLERANCE = timedelta(seconds=2)
#: The stored time is renewed once it is this much older: each write costs two flushes of the disk.
CLOCK_STEP = timedelta(seconds=1)


class ClockGuard:
    """Remembers the latest time seen in a file. For one caller at a time: hold the store's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self, *, used: bool) -> datetime:
        """Return the time; `used` says that a time must have been stored before.

        Raises WormClockFault when it went back or the stored time is missing or malformed, and OSError.
        """
        now, seen = clock.now(), self._seen(used=used)
        if seen is not None and now < seen - CLOCK_TOLERANCE:
            raise WormClockFault(
                f"The clock says {timestamp(now)}, but the WORM store has seen {timestamp(seen)}.",
                details={"now": timestamp(now), "seen": timestamp(seen)},
            )
        if seen is None or now >= seen + CLOCK_STEP:
            replace_file(self._path, timestamp(now).encode(), mode=0o644)
        return now

    def _seen(self, *, used: bool) -> datetime | None:
        try:
            return datetime.fromisoformat(self._path.read_text())
        except ValueError as error:
            raise WormClockFault(f"{self._path} does not hold a time; restore it before anything is stored.") from error
        except FileNotFoundError as error:
            if used:
                raise WormClockFault(f"{self._path} is gone; restore it before anything is stored.") from error
            return None
