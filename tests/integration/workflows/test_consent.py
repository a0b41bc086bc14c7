"""A change of consent reaches the jobs that are under way."""

from kombu.exceptions import OperationalError

from governance.catalog.choices import GrantMethod
from governance.jobs.choices import JobState
from governance.partners.tokens import revoke_partner_tokens
from governance.workflows.consent import affected_jobs, grant_consent, withdraw_consent
from tests.factories.marketplace import TESTER, make_asset, png, release, run


def withdraw(market, asset=None):
    withdraw_consent(
        creator=market.creator, asset=asset, everything=asset is None, method=GrantMethod.CONSOLE, actor=TESTER
    )


def test_a_withdrawal_wakes_the_jobs_it_touches(market, sent):
    job = market.submit().job
    sent.clear()
    withdraw(market)
    assert sent == [("assent.inference.run_job", str(job.id))]
    assert run(job.id).reason_code == "consent_withdrawn"


def test_a_withdrawal_for_one_work_leaves_the_others_alone(market, sent):
    other = make_asset(market.creator, png(colour="navy"))
    kept, touched = market.submit().job, market.submit(asset=other).job
    sent.clear()
    withdraw(market, asset=other)
    assert sent == [("assent.inference.run_job", str(touched.id))]
    assert run(kept.id).state == JobState.MODERATING


def test_a_new_grant_wakes_jobs_too_and_they_are_decided_by_it(market, sent):
    job = market.submit().job
    run(job.id)
    sent.clear()
    grant_consent(
        creator=market.creator,
        asset=market.asset,
        level=market.level,
        regions=["US"],
        method=GrantMethod.CONSOLE,
        actor=TESTER,
    )
    assert sent == [("assent.moderation.release_job", str(job.id))]
    assert release(job.id).reason_code == "consent_region_not_covered"


def test_ended_jobs_are_not_affected(market):
    job = market.submit().job
    assert list(affected_jobs(creator=market.creator, asset=None)) == [job]
    withdraw(market)
    run(job.id)
    assert not affected_jobs(creator=market.creator, asset=market.asset).exists()


def test_a_broker_that_is_down_holds_a_withdrawal_up_once_only(market, monkeypatch):
    jobs = [market.submit().job for _ in range(3)]
    tried = []

    def refuse(name, args, **options):
        tried.append(args[0])
        raise OperationalError("no broker")

    monkeypatch.setattr("celery.current_app.send_task", refuse)
    withdraw(market)
    assert tried == [str(jobs[0].id)]


def test_revoking_all_tokens_of_a_partner_stops_its_waiting_jobs(market):
    job = market.submit().job
    revoke_partner_tokens(partner=market.partner, actor=TESTER, reason="compromised")
    ended = run(job.id)
    assert (ended.state, ended.reason_code) == (JobState.CANCELLED, "token_revoked")
