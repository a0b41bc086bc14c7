"""Keeping a lease while its worker is busy, and finding out that the worker must stop."""

import logging
import time
from threading import Event, Thread
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import Error, connection

from governance.jobs.errors import JobCancelRequested, LeaseLost
from governance.jobs.leases import renew_lease
from governance.jobs.types import Lease
from governance.kernel.errors import GovernanceError
from governance.workflows.grounds import Grounds, grounds_of

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 4
LOOK_SECONDS = 0.5
"""How often a job at work is looked at: two queries a second at most, however many safe points there are."""


class KeepAlive:
    """A context manager that looks at a job twice a second and renews its lease, from a thread of its own.

    When the process is killed the thread dies with it and the lease expires; a process that hangs is bounded by the
    job's deadline. `check` is how the worker hears of it; so it stops within a second if it checks that often.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._stop = Event()
        self._found: GovernanceError | None = None
        self._grounds: Grounds | None = None
        self._changed = Event()
        self._renewed = time.monotonic()
        self._thread = Thread(target=self._watch, name=f"keep-alive-{lease.job_id}", daemon=True)

    def check(self) -> None:
        """Raise LeaseLost or JobCancelRequested once it is known. Cheap: call it at every safe point.

        A lease that could not be renewed for as long as it lasts is lost, whether or not the database can be asked.
        """
        if self._found is not None:
            raise self._found
        if time.monotonic() - self._renewed > settings.ASSENT_LEASE_SECONDS:
            raise LeaseLost("The lease on this job could not be renewed in time.")

    def grounds_changed(self) -> bool:
        """Return whether something that the job's permission rests on changed since this was asked last."""
        changed = self._changed.is_set()
        self._changed.clear()
        return changed

    def __enter__(self) -> Self:
        self._look_once()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        try:
            while self._found is None and not self._stop.wait(LOOK_SECONDS):
                self._look_once()
        finally:
            connection.close()

    def _look_once(self) -> None:
        try:
            self._compare(grounds_of(self._lease))
            asked = time.monotonic()
            if asked - self._renewed >= settings.ASSENT_LEASE_SECONDS / RENEWALS_PER_LEASE:
                renew_lease(self._lease)
                self._renewed = asked
        except (LeaseLost, JobCancelRequested) as found:
            self._found = found
        except Error:  # InterfaceError, raised for a closed connection, is not a DatabaseError
            logger.warning("job %s: it could not be looked at just now", self._lease.job_id, exc_info=True)
            connection.close()

    def _compare(self, grounds: Grounds) -> None:
        if self._grounds is not None and grounds != self._grounds:
            self._changed.set()
        self._grounds = grounds
