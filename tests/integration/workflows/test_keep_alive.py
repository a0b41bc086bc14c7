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
from governance.workflows.grounds import grounds_of
from governance.workflows.keep_alive import KeepAlive
from tests.factories.marketplace import TESTER, Marketplace
from tests.waiting import wait_until

LEASE_SECONDS = 300  # far longer than any test: no slow machine lets a lease end


@pytest.fixture
def lease(market: Marketplace, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Lease:
    """Return a lease that is looked at and renewed many times a second."""
    settings.ASSENT_LEASE_SECONDS = LEASE_SECONDS
    monkeypatch.setattr(keep_alive, "RENEWALS_PER_LEASE", LEASE_SECONDS * 20)
    monkeypatch.setattr(keep_alive, "LOOK_SECONDS", 0.02)
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


def test_a_lease_that_cannot_be_renewed_is_lost_when_it_ends(lease, settings, monkeypatch):
    def gone(held):
        raise InterfaceError("the connection is closed")

    monkeypatch.setattr("governance.workflows.keep_alive.grounds_of", gone)
    with KeepAlive(lease) as alive:
        alive.check()
        settings.ASSENT_LEASE_SECONDS = 0
        with pytest.raises(LeaseLost):
            alive.check()


def test_a_look_is_one_query(lease, django_assert_num_queries):
    with django_assert_num_queries(1):
        grounds_of(lease)


def test_a_job_is_looked_at_no_more_than_twice_a_second():
    assert keep_alive.LOOK_SECONDS >= 0.5


def test_a_change_of_consent_is_seen_once(lease, market):
    with KeepAlive(lease) as alive:
        assert not alive.grounds_changed()
        market.withdraw()
        wait_until(alive.grounds_changed)
        assert not alive.grounds_changed()
