"""A version of a consent level comes into force while jobs wait, run or are about to be released."""

import pytest

from governance.audit.models import OutboxEntry
from governance.catalog.models import ConsentLevel
from governance.jobs.choices import JobState
from governance.jobs.models import Job
from governance.kernel import clock
from governance.kernel.vocabulary import Action, Purpose
from governance.workflows.impact import level_impact
from governance.workflows.levels import put_level_in_force
from governance.workflows.run_job import run_job
from tests.factories.levels import APPROVER, AUTHOR, propose
from tests.factories.marketplace import make_asset, moderator, release, run, upscaler

INFER = (Action.ASSET_INFER, Purpose.COMMERCIAL)
DERIVED = (Action.ASSET_INFER, Purpose.DERIVATIVE_COMMERCIAL)


def narrow(market, pairs=(DERIVED,), actor=AUTHOR):
    proposal = propose(market.level, pairs=pairs)
    return put_level_in_force(proposal=proposal, digest=proposal.digest, actor=actor)


def test_a_waiting_job_that_a_narrowing_closes_is_denied_before_it_runs(market):
    job = market.submit().job
    narrow(market)
    job = run(job.id)
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "consent_not_covered")


def test_a_permit_from_before_a_narrowing_is_void(market):
    job = market.submit().job
    used = upscaler()

    class Meddling:
        def run(self, **arguments):
            narrow(market)
            return used.run(**arguments)

    run_job(job_id=job.id, owner="w", runtimes=lambda _: Meddling(), moderator=moderator())
    job = Job.objects.get(id=job.id)
    assert job.state == JobState.QUEUED
    assert OutboxEntry.objects.filter(kind="permit.refused").count() == 1


def test_a_result_from_before_a_narrowing_is_not_released(market):
    job = market.submit().job
    run(job.id)
    narrow(market)
    job = release(job.id)
    assert (job.state, job.reason_code) == (JobState.DENIED, "consent_not_covered")


def test_a_job_for_a_use_that_stays_goes_on(market):
    job = market.submit(purpose=Purpose.COMMERCIAL).job
    narrow(market, pairs=[INFER])
    run(job.id)
    assert release(job.id).state == JobState.SEALING


def test_waiting_jobs_are_woken(market, sent, django_capture_on_commit_callbacks):
    market.submit()
    before = len(sent)
    with django_capture_on_commit_callbacks(execute=True):
        narrow(market)
    assert len(sent) == before + 1


def names(groups):
    return {group.name: group.rows.count() for group in groups}


def test_the_impact_of_a_narrowing_is_what_it_closes(market, django_assert_num_queries):
    make_asset(market.creator)
    market.submit(purpose=Purpose.COMMERCIAL)
    market.submit(purpose=Purpose.COMMERCIAL, key="other")
    proposal = propose(market.level, pairs=[DERIVED])

    impact = level_impact(proposal, at=clock.now())

    with django_assert_num_queries(4):
        assert names(impact.closes) == {"works": 2, "creators": 1, "models": 1, "jobs": 2}
    assert names(impact.opens) == {"works": 0, "creators": 0}


def test_jobs_for_what_stays_are_not_closed(market):
    market.submit(purpose=Purpose.COMMERCIAL)
    proposal = propose(market.level, pairs=[INFER])

    assert names(level_impact(proposal, at=clock.now()).closes) == {"works": 1, "creators": 1, "models": 0, "jobs": 0}


def test_the_impact_of_a_widening_is_who_could_grant_it_again(market):
    proposal = propose(market.level, pairs=[INFER, DERIVED, (Action.ASSET_TRAIN, Purpose.RESEARCH)])

    impact = level_impact(proposal, at=clock.now())

    assert impact.by_new_grant
    assert names(impact.closes) == {"works": 0, "creators": 0, "models": 0, "jobs": 0}
    assert names(impact.opens) == {"works": 1, "creators": 1}


def test_consent_that_was_withdrawn_is_not_in_the_impact(market):
    market.submit()
    market.withdraw()
    proposal = propose(market.level, pairs=[])

    assert set(names(level_impact(proposal, at=clock.now()).closes).values()) == {0}


@pytest.mark.parametrize("actor", [AUTHOR, APPROVER])
def test_the_impact_is_what_really_closes(market, actor):
    job = market.submit().job
    proposal = propose(market.level, pairs=[])
    closed = list(level_impact(proposal, at=clock.now()).closes[3].rows)

    put_level_in_force(proposal=proposal, digest=proposal.digest, actor=actor)

    assert closed == [job]
    assert run(job.id).state == JobState.CANCELLED
    assert ConsentLevel.objects.get().in_force.pairs == []
