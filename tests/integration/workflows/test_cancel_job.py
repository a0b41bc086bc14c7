"""A job whose cancellation was requested ends as cancelled, whoever holds it and whatever happens to its worker."""

from datetime import timedelta

import pytest
from django.db import transaction

from governance.audit.models import EvidenceRecord, OutboxEntry
from governance.audit.tally import Tally
from governance.jobs.choices import JobState
from governance.jobs.errors import JobCancelRequested, LeaseLost, TransitionRefused
from governance.jobs.leases import lock_held, take_lease
from governance.jobs.models import Job, OutputCandidate
from governance.jobs.services import move
from governance.kernel import clock
from governance.kernel.errors import IntegrityFault, Unavailable
from governance.partners.models import AccessToken
from governance.partners.partners import reinstate_partner, suspend_partner
from governance.partners.tokens import revoke_partner_tokens, revoke_token
from governance.workflows.cancel_job import cancel_job
from governance.workflows.reconcile.run import database_faults
from governance.workflows.run_job import run_job
from governance.workflows.sweep import sweep
from tests.factories.marketplace import TESTER, moderator, release, run, upscaler
from tests.factories.states import put_on_record

ON_REQUEST = (JobState.CANCELLED, "cancelled_on_request")


def later(seconds):
    return clock.using(clock.ManualClock(clock.now() + timedelta(seconds=seconds)))


def after_the_lease(settings):
    return later(settings.ASSENT_LEASE_SECONDS + 1)


def end_of(job):
    job.refresh_from_db()
    return JobState(job.state), job.reason_code


def cancel(job):
    return cancel_job(job=job, actor=TESTER)


def events(job):
    return [event.to_state for event in job.events.order_by("id")]


def leased(market):
    job = market.submit().job
    take_lease(job_id=job.id, owner="gone", waiting=JobState.QUEUED)
    return job


def running(market):
    """Return a job whose worker went away between its permit and the result."""
    job = market.submit().job

    class Gone:
        def run(self, **arguments):
            raise SystemExit

    with pytest.raises(SystemExit):
        run_job(job_id=job.id, owner="gone", runtimes=lambda _: Gone(), moderator=moderator())
    return job


def releasing(market):
    job = market.submit().job
    run(job.id)
    take_lease(job_id=job.id, owner="gone", waiting=JobState.MODERATING)
    return job


HELD = [(leased, "leased"), (running, "running"), (releasing, "releasing")]


@pytest.mark.parametrize(("held", "state"), HELD)
def test_a_cancelled_job_whose_worker_is_lost_ends_as_cancelled(market, settings, held, state):
    job = held(market)
    asked = cancel(job)
    assert (asked.state, asked.cancel_requested) == (state, True)
    with after_the_lease(settings):
        report = sweep()
    assert (report.stopped, report.recovered) == (1, 0)
    assert end_of(job) == ON_REQUEST
    assert EvidenceRecord.objects.get().outcome == "cancelled"
    put_on_record()
    assert list(database_faults(Tally())) == []


@pytest.mark.parametrize(("held", "state"), HELD)
def test_a_cancelled_job_on_its_last_attempt_does_not_fail(market, settings, held, state):
    job = held(market)
    Job.objects.update(max_attempts=1)
    cancel(job)
    with after_the_lease(settings):
        sweep()
    assert end_of(job) == ON_REQUEST


@pytest.mark.parametrize(("held", "state"), HELD)
def test_a_job_whose_lease_is_lost_is_cancelled_at_once(market, settings, held, state):
    job = held(market)
    with after_the_lease(settings):
        assert (cancel(job).state, cancel(job).reason_code) == ON_REQUEST
        assert sweep().recovered == 0
    assert events(job).count("cancelled") == 1
    assert not OutboxEntry.objects.filter(kind="job.cancel_requested").exists()


def test_a_worker_that_holds_the_job_is_left_to_end_it(market):
    job = leased(market)
    cancel(job)
    assert sweep().stopped == 0
    assert end_of(job) == (JobState.LEASED, "")


def test_a_cancelled_job_that_runs_past_its_deadline_ends_as_cancelled_on_request(market, settings):
    job = leased(market)
    cancel(job)
    Job.objects.update(deadline=clock.now())
    assert sweep().overdue == 1
    assert end_of(job) == ON_REQUEST


class Fails:
    """A runtime that fails after the job was cancelled meanwhile."""

    def __init__(self, job, error):
        self.job, self.error = job, error

    def run(self, **arguments):
        cancel(self.job)
        raise self.error


@pytest.mark.parametrize(
    "error", [Unavailable("The accelerator is gone."), ZeroDivisionError(), IntegrityFault("The artifact was altered.")]
)
def test_a_cancelled_job_whose_worker_fails_ends_as_cancelled(market, error):
    job = market.submit().job
    run_job(job_id=job.id, owner="w", runtimes=lambda _: Fails(job, error), moderator=moderator())
    assert end_of(job) == ON_REQUEST


def test_what_a_worker_found_in_a_cancelled_job_is_told(market):
    job = market.submit().job
    fails = Fails(job, IntegrityFault("The artifact was altered."))
    run_job(job_id=job.id, owner="w", runtimes=lambda _: fails, moderator=moderator())
    assert Job.objects.get().reason == (
        "The job was cancelled on request. Its worker reported: The artifact was altered."
    )


def test_a_job_cancelled_during_its_run_ends_there(market):
    job = market.submit().job

    class Cancels:
        def run(self, **arguments):
            result = upscaler().run(**arguments)
            cancel(job)
            return result

    run_job(job_id=job.id, owner="w", runtimes=lambda _: Cancels(), moderator=moderator())
    assert end_of(job) == ON_REQUEST
    assert not OutputCandidate.objects.exists()


@pytest.mark.parametrize("way", [lambda job: run(job.id), lambda job: sweep()])
def test_a_job_that_waits_though_it_was_cancelled_is_never_taken(market, way):
    """The version before could send such a job back to the queue."""
    job = market.submit().job
    Job.objects.update(cancel_requested=True)
    assert take_lease(job_id=job.id, owner="w", waiting=JobState.QUEUED) is None
    way(job)
    assert end_of(job) == ON_REQUEST
    assert events(job) == ["queued", "cancelled"]


def test_a_cancelled_job_can_be_moved_to_its_end_only(market):
    job = leased(market)
    cancel(job)
    with pytest.raises(JobCancelRequested), transaction.atomic():
        move(job=Job.objects.get(), to=JobState.QUEUED, actor=TESTER)


def test_a_release_that_was_decided_first_wins(market):
    job = market.submit().job
    run(job.id)
    assert release(job.id).state == JobState.SEALING
    with pytest.raises(TransitionRefused, match="sealing evidence and can no longer be cancelled"):
        cancel(job)
    assert not Job.objects.get().cancel_requested


@pytest.mark.parametrize("held", [leased, running, releasing])
def test_cancelling_a_held_job_twice_is_on_record_once(market, held):
    job = held(market)
    cancel(job)
    cancel(job)
    assert OutboxEntry.objects.filter(kind="job.cancel_requested").count() == 1


# which reason counts


def revoke_all(market):
    revoke_partner_tokens(partner=market.partner, actor=TESTER, reason="leaked")


def revoke_one(market):
    revoke_token(token=AccessToken.objects.get(), actor=TESTER, reason="leaked")


def suspend(market):
    suspend_partner(partner=market.partner, actor=TESTER, reason="unpaid")


@pytest.mark.parametrize(
    ("submitted", "cut", "reason"),
    [
        (lambda market: market.submit().job, revoke_all, "token_revoked"),
        (leased, revoke_one, "token_revoked"),
        (running, suspend, "partner_suspended"),
        (releasing, revoke_all, "token_revoked"),
    ],
)
def test_a_job_cut_off_before_it_is_cancelled_ends_for_that_reason(market, submitted, cut, reason):
    job = submitted(market)
    market.withdraw()
    cut(market)
    ended = cancel(job)
    assert (ended.state, ended.reason_code) == (JobState.CANCELLED, reason)
    assert sweep().stopped == 0


@pytest.mark.parametrize(("held", "cut"), [(leased, revoke_all), (running, revoke_one), (releasing, suspend)])
def test_a_job_cancelled_before_it_is_cut_off_ends_as_cancelled_on_request(market, held, cut):
    job = held(market)
    cancel(job)
    market.withdraw()
    cut(market)
    assert sweep().stopped == 1
    assert end_of(job) == ON_REQUEST


def test_a_revoked_token_counts_before_a_suspension_that_may_be_lifted(market):
    job = market.submit().job
    suspend(market)
    revoke_all(market)
    reinstate_partner(partner=market.partner, actor=TESTER, reason="paid")
    sweep()
    assert end_of(job) == (JobState.CANCELLED, "token_revoked")


def test_consent_withdrawn_first_is_no_reason_before_it_is_decided(market):
    job = market.submit().job
    market.withdraw()
    cancel(job)
    assert end_of(job) == ON_REQUEST


def test_a_stale_worker_cannot_change_a_cancelled_job(market):
    job = market.submit().job
    lease = take_lease(job_id=job.id, owner="w", waiting=JobState.QUEUED)
    revoke_all(market)
    sweep()
    with pytest.raises(LeaseLost), transaction.atomic():
        lock_held(lease)
    assert events(job) == ["queued", "leased", "cancelled"]
