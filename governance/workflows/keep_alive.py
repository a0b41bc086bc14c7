"""Renewing a lease while its worker is busy with work of unknown length."""

import logging
from threading import Event, Thread
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import Error, connection

from governance.jobs.errors import JobCancelRequested, LeaseLost
from governance.jobs.leases import renew_lease
from governance.jobs.types import Lease
from governance.kernel.errors import GovernanceError

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 4


class KeepAlive:
    """A context manager that renews a lease from its own thread, several times per lease period.

    When the process is killed the thread dies with it and the lease expires; a process that hangs is bounded by the
    job's deadline. `check` reports the result of the last renewal to the worker.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._stop = Event()
        self._found: GovernanceError | None = None
        self._thread = Thread(target=self._renew, name=f"keep-alive-{lease.job_id}", daemon=True)

    def check(self) -> None:
        """Raise LeaseLost or JobCancelRequested once a renewal has met it. Cheap: call it at every safe point."""
        if self._found is not None:
            raise self._found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _renew(self) -> None:
        try:
            while self._found is None and not self._stop.wait(settings.ASSENT_LEASE_SECONDS / RENEWALS_PER_LEASE):
                self._renew_once()
        finally:
            connection.close()

    def _renew_once(self) -> None:
        try:
            renew_lease(self._lease)
        except (LeaseLost, JobCancelRequested) as found:
            self._found = found
        except Error:  # InterfaceError, raised for a closed connection, is not a DatabaseError
            logger.warning("job %s: its lease could not be renewed just now", self._lease.job_id, exc_info=True)
            connection.close()
