"""A lease is kept while the worker is busy, and the worker learns when it must stop."""

from collections.abc import Callable

import pytest
from django.db import InterfaceError
from pytest_django import Settings

from governance.jobs.choices import JobState
from governance.jobs.errors import JobCancelRequested, LeaseLost
from governance.jobs.leases import renew_lease, take_lease
from governance.jobs.models import Job
from governance.jobs.types import Lease
from governance.workflows import keep_alive
from governance.workflows.cancel_job import cancel_job
from governance.workflows.keep_alive import KeepAlive
from tests.factories.marketplace import TESTER, Marketplace
from tests.waiting import wait_until

LEASE_SECONDS = 300  # far longer than any test: no slow machine lets a lease end


@pytest.fixture
def lease(market: Marketplace, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Lease:
    """Return a lease that is renewed many times a second."""
    settings.ASSENT_LEASE_SECONDS = LEASE_SECONDS
    monkeypatch.setattr(keep_alive, "RENEWALS_PER_LEASE", LEASE_SECONDS * 20)
    return take_lease(job_id=market.submit().job.id, owner="worker-1", waiting=JobState.QUEUED)


def renewed(lease: Lease) -> Callable[[], bool]:
    """Return what says whether the lease runs longer than it did now."""
    before = Job.objects.get(id=lease.job_id).lease_until
    return lambda: Job.objects.get(id=lease.job_id).lease_until > before


def wait_for_bad_news(alive: KeepAlive) -> None:
    """Check until a check raises."""
    wait_until(alive.check)


def test_a_busy_worker_keeps_its_lease(lease):
    longer = renewed(lease)
    with KeepAlive(lease) as alive:
        wait_until(longer)
        alive.check()


def test_the_worker_learns_that_its_lease_is_lost(lease):
    with KeepAlive(lease) as alive:
        Job.objects.filter(id=lease.job_id).update(fencing_token=lease.fencing_token + 1)
        with pytest.raises(LeaseLost):
            wait_for_bad_news(alive)


def test_the_worker_learns_that_the_job_is_to_be_cancelled(lease):
    with KeepAlive(lease) as alive:
        cancel_job(job=Job.objects.get(id=lease.job_id), actor=TESTER)
        with pytest.raises(JobCancelRequested):
            wait_for_bad_news(alive)


def test_a_connection_found_closed_costs_one_renewal(lease, monkeypatch):
    renewals = iter([InterfaceError("the connection is closed")])

    def renew(held):
        for error in renewals:
            raise error
        renew_lease(held)

    monkeypatch.setattr("governance.workflows.keep_alive.renew_lease", renew)
    longer = renewed(lease)
    with KeepAlive(lease):
        wait_until(longer)
