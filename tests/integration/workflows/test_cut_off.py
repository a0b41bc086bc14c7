"""Revoked tokens and suspended partners: every job accepted with such a token ends, unless its release came first."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

import pytest
from django.db import connection

from governance.engines.ports import policy_engine
from governance.jobs.choices import JobState
from governance.jobs.leases import take_lease
from governance.jobs.models import Job, JobOutput
from governance.kernel.errors import GovernanceError
from governance.partners.client_access import disable_client
from governance.partners.errors import PartnerSuspended, TokenInvalid, TokenRevoked
from governance.partners.models import AccessToken
from governance.partners.partners import reinstate_partner, suspend_partner
from governance.partners.queries import live_token
from governance.partners.tokens import clear_expired_tokens, revoke_partner_tokens, revoke_token
from governance.workflows.evidence import evidence_of
from governance.workflows.release_job import release_job
from governance.workflows.run_job import run_job
from governance.workflows.sweep import sweep
from inference_workers.obligations.carry_out import apply_obligations
from tests.factories.marketplace import TESTER, finish, moderator, release, run, seal, upscaler
from tests.factories.partners import raw_token
from tests.threads import in_threads
from tests.waiting import PATIENCE_SECONDS, somebody_waits, wait_until


def revoke_all(market):
    revoke_partner_tokens(partner=market.partner, actor=TESTER, reason="leaked")


def revoke_one(market):
    revoke_token(token=AccessToken.objects.get(pk=market.grant.token_id), actor=TESTER, reason="leaked")


def suspend(market):
    suspend_partner(partner=market.partner, actor=TESTER, reason="unpaid")


def disable(market):
    disable_client(client=market.client, actor=TESTER, reason="leaked")


CUTS = pytest.mark.parametrize(
    ("cut", "reason"),
    [
        (revoke_all, "token_revoked"),
        (revoke_one, "token_revoked"),
        (disable, "token_revoked"),
        (suspend, "partner_suspended"),
    ],
)


def end_of(job):
    job.refresh_from_db()
    return JobState(job.state), job.reason_code


@CUTS
def test_a_waiting_job_is_ended_by_the_sweeper(market, cut, reason):
    waiting, held = market.submit().job, market.submit().job
    run(held.id)
    cut(market)
    assert sweep().stopped == 2
    assert end_of(waiting) == end_of(held) == (JobState.CANCELLED, reason)


@CUTS
def test_a_worker_that_takes_the_job_ends_it(market, cut, reason):
    job, other = market.submit().job, market.submit().job
    run(other.id)
    cut(market)
    run(job.id)
    release(other.id)
    assert end_of(job) == end_of(other) == (JobState.CANCELLED, reason)


@CUTS
def test_a_job_that_a_worker_holds_is_ended_all_the_same(market, cut, reason):
    early, late = market.submit().job, market.submit().job
    run(late.id)
    take_lease(job_id=early.id, owner="busy", waiting=JobState.QUEUED)
    take_lease(job_id=late.id, owner="busy", waiting=JobState.MODERATING)
    cut(market)
    assert sweep().stopped == 2
    assert end_of(early) == end_of(late) == (JobState.CANCELLED, reason)


class Meddling:
    """The real runtime, with something happening before or after it redeems its permit and computes."""

    def __init__(self, *, before=lambda: None, after=lambda: None):
        self.before, self.after = before, after

    def run(self, **arguments):
        self.before()
        result = upscaler().run(**arguments)
        self.after()
        return result


class Scores:
    """The real moderator, with something happening before the verdict."""

    def __init__(self, before):
        self.before, self.name, self.artifact_digest = before, moderator().name, moderator().artifact_digest

    def score(self, image, heartbeat):
        self.before()
        return moderator().score(image, heartbeat)


@CUTS
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_running_job_is_stopped(market, cut, reason, when):
    job = market.submit().job
    runtime = Meddling(**{when: lambda: cut(market)})
    run_job(job_id=job.id, owner="w", runtimes=lambda _: runtime, moderator=moderator())
    assert end_of(job) == (JobState.CANCELLED, reason)


def test_a_job_is_stopped_before_its_permit(market):
    job = market.submit().job
    run_job(job_id=job.id, owner="w", runtimes=lambda _: upscaler(), moderator=Scores(lambda: suspend(market)))
    assert end_of(job) == (JobState.CANCELLED, "partner_suspended")
    assert "running" not in job.events.values_list("to_state", flat=True)


def test_a_job_is_stopped_before_its_release_is_decided(market):
    job = market.submit().job
    run(job.id)
    release_job(job_id=job.id, owner="w", moderator=Scores(lambda: revoke_all(market)), carry_out=apply_obligations)
    assert end_of(job) == (JobState.CANCELLED, "token_revoked")


@CUTS
def test_a_job_is_stopped_while_obligations_are_carried_out(market, cut, reason):
    job = market.submit().job
    run(job.id)

    def cut_then_carry_out(image, obligations, provenance, heartbeat):
        cut(market)
        return apply_obligations(image, obligations, provenance, heartbeat)

    release_job(job_id=job.id, owner="w", moderator=moderator(), carry_out=cut_then_carry_out)
    assert end_of(job) == (JobState.CANCELLED, reason)
    assert not JobOutput.objects.exists()


@CUTS
def test_a_release_that_was_decided_before_stays(market, cut, reason):
    job = market.submit().job
    run(job.id)
    release(job.id)
    cut(market)
    assert sweep().stopped == 0
    assert seal(job.id).state == JobState.RELEASED


def test_one_revoked_token_leaves_the_jobs_of_others_alone(market):
    other = live_token(raw_token(market.client))
    job = market.submit().job
    revoke_token(token=AccessToken.objects.get(pk=other.token_id), actor=TESTER, reason="leaked")
    assert sweep().stopped == 0
    assert finish(job.id).state == JobState.RELEASED


def test_a_new_token_after_the_cut_works(market):
    revoke_all(market)
    assert finish(market.submit(grant=live_token(raw_token(market.client))).job.id).state == JobState.RELEASED


def test_a_suspension_lifted_before_anybody_looked_changes_nothing(market):
    job = market.submit().job
    suspend(market)
    reinstate_partner(partner=market.partner, actor=TESTER, reason="paid")
    assert finish(job.id).state == JobState.RELEASED


def test_a_token_that_expired_does_not_end_its_jobs(market):
    job = market.submit().job
    AccessToken.objects.update(expires=job.created_at)
    assert finish(job.id).state == JobState.RELEASED


def test_a_job_whose_token_is_not_known_any_more_ends(market):
    job = market.submit().job
    AccessToken.objects.update(expires="2020-01-01T00:00:00Z")
    assert clear_expired_tokens() == 1
    run(job.id)
    assert end_of(job) == (JobState.CANCELLED, "token_revoked")


def test_jobs_from_before_that_name_no_token_are_caught_by_the_cut(market):
    """Their token was issued up to 15 minutes before they were accepted: on doubt it was before the cut."""
    job = market.submit().job
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE jobs_job DISABLE TRIGGER USER")
        cursor.execute("UPDATE jobs_job SET token_id = NULL, token_issued_at = NULL")
        cursor.execute("ALTER TABLE jobs_job ENABLE TRIGGER USER")
    revoke_all(market)
    assert sweep().stopped == 1
    assert end_of(job) == (JobState.CANCELLED, "token_revoked")


# a moment after the cut


@CUTS
def test_a_token_checked_before_the_cut_submits_nothing_after_it(market, cut, reason):
    cut(market)
    refused = {"token_revoked": TokenRevoked, "partner_suspended": PartnerSuspended}[reason]
    with pytest.raises(refused):
        market.submit()
    assert not Job.objects.exists()


class Waits:
    """The engine, that lets something happen before it answers a submission whose token was found live."""

    def __init__(self, engine, meanwhile):
        self.engine, self.meanwhile, self.name = engine, meanwhile, engine.name

    def evaluate(self, *, program, requests):
        self.meanwhile()
        return self.engine.evaluate(program=program, requests=requests)


@CUTS
def test_a_job_committed_after_the_cut_is_caught(market, cut, reason):
    def elsewhere():
        [failed] = in_threads(lambda: cut(market))
        assert failed is None

    with policy_engine.override(Waits(policy_engine.get(), elsewhere)):
        job = market.submit().job
    assert job.state == JobState.QUEUED
    assert sweep().stopped == 1
    assert end_of(job) == (JobState.CANCELLED, reason)


@CUTS
def test_of_jobs_submitted_around_the_cut_none_is_released(market, cut, reason):
    def submit():
        try:
            return market.submit().job.state
        except TokenInvalid:
            return "refused"

    outcomes = in_threads(*[submit] * 3, lambda: cut(market), *[submit] * 3)
    assert [outcome for outcome in outcomes if isinstance(outcome, GovernanceError)] == []
    _ = [run(job.id) for job in Job.objects.all()]
    assert {(job.state, job.reason_code) for job in Job.objects.all()} <= {(JobState.CANCELLED, reason)}


@CUTS
def test_a_cut_waits_for_a_release_that_is_being_recorded(market, monkeypatch, cut, reason):
    """The release shares the partner's row: the cut comes after it, and changes nothing about it."""
    job = market.submit().job
    run(job.id)
    recording = Event()

    def cut_meanwhile():
        with closing(connection):
            recording.wait(PATIENCE_SECONDS)
            cut(market)

    def record_once_the_cut_waits(**arguments):
        recording.set()
        wait_until(somebody_waits)
        return evidence_of(**arguments)

    monkeypatch.setattr("governance.workflows.release_job.evidence_of", record_once_the_cut_waits)
    with ThreadPoolExecutor(1) as pool:
        cutting = pool.submit(cut_meanwhile)
        assert release(job.id).state == JobState.SEALING
        cutting.result()
    assert seal(job.id).state == JobState.RELEASED
