"""What the sweeper finds and puts right from the database alone."""

from datetime import timedelta

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from governance.audit.evidence.issue import issue_evidence
from governance.audit.models import EvidenceRecord
from governance.audit.ports import worm_store
from governance.audit.types import SubjectRef
from governance.jobs.choices import JobState
from governance.jobs.leases import take_lease
from governance.jobs.models import Job, JobOutput
from governance.kernel import clock
from governance.kernel.errors import Unavailable
from governance.workflows.sweep import sweep
from tests.factories.marketplace import finish, release, run, seal


def later(seconds):
    return clock.using(clock.ManualClock(clock.now() + timedelta(seconds=seconds)))


def test_a_lost_worker_s_job_goes_back_and_completes_once(market, settings):
    job = market.submit().job
    take_lease(job_id=job.id, owner="killed", waiting=JobState.QUEUED)
    with later(settings.ASSENT_LEASE_SECONDS + 1):
        assert sweep().recovered == 1
        job.refresh_from_db()
        assert (job.state, job.reason_code) == (JobState.QUEUED, "lease_expired")
    with later(settings.ASSENT_LEASE_SECONDS + 60):
        assert finish(job.id).state == JobState.RELEASED
    assert JobOutput.objects.count() == 1


def test_a_worker_lost_while_releasing_does_not_run_the_model_again(market, settings):
    job = market.submit().job
    run(job.id)
    take_lease(job_id=job.id, owner="killed", waiting=JobState.MODERATING)
    with later(settings.ASSENT_LEASE_SECONDS + 1):
        sweep()
    job.refresh_from_db()
    assert job.state == JobState.MODERATING


def test_a_job_whose_workers_are_always_lost_fails_in_the_end(market, settings):
    job = market.submit().job
    for attempt in range(job.max_attempts):
        with later(10_000 * attempt):
            take_lease(job_id=job.id, owner="killed", waiting=JobState.QUEUED)
            Job.objects.update(deadline=clock.now() + timedelta(days=1))
        with later(10_000 * attempt + settings.ASSENT_LEASE_SECONDS + 1):
            sweep()
    job.refresh_from_db()
    assert (job.state, job.reason_code) == (JobState.FAILED, "attempts_exhausted")
    assert EvidenceRecord.objects.get().outcome == "failed"


def test_a_live_lease_is_left_alone(market):
    take_lease(job_id=market.submit().job.id, owner="alive", waiting=JobState.QUEUED)
    assert sweep().recovered == 0


def test_a_lost_message_is_sent_again(market, sent, settings):
    job = market.submit().job
    sent.clear()
    with later(settings.ASSENT_REDISPATCH_SECONDS + 1):
        assert sweep().resent == 1
    assert sent == [("assent.inference.run_job", str(job.id))]


def test_a_message_just_sent_is_not_repeated(market, sent):
    market.submit()
    sent.clear()
    assert sweep().resent == 0


def test_a_broker_that_is_down_loses_nothing(market, sent, monkeypatch):
    def refuse(*args, **options):
        raise OperationalError("no broker")

    monkeypatch.setattr("celery.current_app.send_task", refuse)
    job = market.submit().job
    assert job.state == JobState.QUEUED
    assert sweep().resent == 0
    monkeypatch.setattr("celery.current_app.send_task", lambda name, args, **options: sent.append((name, *args)))
    assert sweep().resent == 1
    assert ("assent.inference.run_job", str(job.id)) in sent


@pytest.mark.parametrize("held", [False, True])
def test_an_overdue_job_is_cancelled(market, settings, held):
    job = market.submit().job
    owners = ["worker-1"] * held
    _ = [take_lease(job_id=job.id, owner=owner, waiting=JobState.QUEUED) for owner in owners]
    with later(settings.ASSENT_JOB_DEADLINE_SECONDS + 1):
        assert sweep().overdue == 1
    job.refresh_from_db()
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "deadline_exceeded")


def test_a_seal_that_was_cut_off_is_made_up_for(market, sent):
    class Down:
        def put(self, **arguments):
            raise Unavailable("The WORM store is down.")

    job = market.submit().job
    run(job.id)
    release(job.id)
    with worm_store.override(Down()), pytest.raises(Unavailable):
        seal(job.id)
    job.refresh_from_db()
    assert job.state == JobState.SEALING
    assert seal(job.id).state == JobState.RELEASED


@pytest.mark.odd_statements
def test_a_job_that_cannot_be_repaired_does_not_block_the_others(market, settings):
    stuck, other = market.submit().job, market.submit().job
    with transaction.atomic():
        issue_evidence(
            subject=SubjectRef("job", str(stuck.id)),
            outcome="odd",
            predicate_type="https://example.org/odd",
            statement_subject=[{"name": "odd", "digest": {"sha256": "0" * 64}}],
            predicate={},
        )
    with later(settings.ASSENT_JOB_DEADLINE_SECONDS + 1):
        assert sweep().overdue == 1
    other.refresh_from_db()
    assert other.state == JobState.CANCELLED


def test_a_long_queue_does_not_grow_by_being_swept(market, sent, settings, monkeypatch):
    jobs = [market.submit().job for _ in range(3)]
    sent.clear()
    monkeypatch.setattr("governance.workflows.sweep.queue_length", lambda queue: 2)
    with later(settings.ASSENT_REDISPATCH_SECONDS + 1):
        assert sweep().resent == 1
    assert sent == [("assent.inference.run_job", str(jobs[0].id))]


def test_a_sealing_job_whose_message_was_not_taken_is_sent_at_once(market, monkeypatch):
    job = market.submit().job
    run(job.id)

    def refuse(*args, **options):
        raise OperationalError("no broker")

    with monkeypatch.context() as broken:
        broken.setattr("celery.current_app.send_task", refuse)
        release(job.id)
    assert sweep().resent == 1
