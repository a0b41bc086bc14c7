"""A lease is kept while the worker is busy, and the worker learns when it must stop."""

import time

import pytest
from django.db import InterfaceError

from governance.jobs.choices import JobState
from governance.jobs.errors import JobCancelRequested, LeaseLost
from governance.jobs.leases import renew_lease, take_lease
from governance.jobs.models import Job
from governance.workflows.cancel_job import cancel_job
from governance.workflows.keep_alive import KeepAlive
from tests.factories.marketplace import TESTER


@pytest.fixture
def lease(market, settings):
    settings.ASSENT_LEASE_SECONDS = 1
    return take_lease(job_id=market.submit().job.id, owner="worker-1", waiting=JobState.QUEUED)


def found_within(alive, seconds=10.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        alive.check()
        time.sleep(0.02)


def test_a_busy_worker_keeps_its_lease(lease):
    before = Job.objects.get(id=lease.job_id).lease_until
    with KeepAlive(lease) as alive:
        time.sleep(1.5)
        alive.check()
    assert Job.objects.get(id=lease.job_id).lease_until > before


def test_the_worker_learns_that_its_lease_is_lost(lease):
    with KeepAlive(lease) as alive:
        Job.objects.filter(id=lease.job_id).update(fencing_token=lease.fencing_token + 1)
        with pytest.raises(LeaseLost):
            found_within(alive)


def test_the_worker_learns_that_the_job_is_to_be_cancelled(lease):
    with KeepAlive(lease) as alive:
        cancel_job(job=Job.objects.get(id=lease.job_id), actor=TESTER)
        with pytest.raises(JobCancelRequested):
            found_within(alive)


def test_a_connection_found_closed_costs_one_renewal(lease, monkeypatch):
    renewals = iter([InterfaceError("the connection is closed")])

    def renew(held):
        for error in renewals:
            raise error
        renew_lease(held)

    monkeypatch.setattr("governance.workflows.keep_alive.renew_lease", renew)
    before = Job.objects.get(id=lease.job_id).lease_until
    with KeepAlive(lease):
        time.sleep(1.5)
    assert Job.objects.get(id=lease.job_id).lease_until > before
