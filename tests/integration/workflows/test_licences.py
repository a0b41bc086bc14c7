"""A version of a licence comes into force while jobs wait, run or are about to be released."""

import pytest

from governance.decisions.ports import supported_obligations
from governance.jobs.choices import JobState
from governance.jobs.models import Job
from governance.kernel import clock
from governance.kernel.vocabulary import Purpose
from governance.registry.model_licences import propose_model_licence
from governance.registry.models import Licence, LicenceVersion
from governance.workflows.impact import licence_impact, model_licence_impact
from governance.workflows.levels import put_licence_in_force, put_model_licence_in_force
from governance.workflows.run_job import run_job
from tests.factories.levels import APPROVER, AUTHOR
from tests.factories.licences import change_licence, make_licence, propose_change
from tests.factories.marketplace import moderator, release, run, upscaler


@pytest.fixture
def licence(market):
    return market.version.model.licence


def narrow(licence):
    proposal = propose_change(licence, purposes=(Purpose.RESEARCH,))
    return put_licence_in_force(proposal=proposal, digest=proposal.digest, actor=AUTHOR)


def names(groups):
    return {group.name: group.rows.count() for group in groups}


def test_a_waiting_job_that_a_narrowing_closes_is_denied_before_it_runs(market, licence):
    job = market.submit().job
    narrow(licence)
    job = run(job.id)
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "licence_purpose_not_covered")


def test_a_permit_from_before_a_new_version_is_void(market, licence):
    job = market.submit().job

    class Meddling:
        def run(self, **arguments):
            narrow(licence)
            return upscaler().run(**arguments)

    run_job(job_id=job.id, owner="w", runtimes=lambda _: Meddling(), moderator=moderator())
    job = Job.objects.get(id=job.id)
    assert (job.state, job.reason_code) == (JobState.QUEUED, "permit_licence_changed")


def test_a_result_from_before_a_narrowing_is_not_released(market, licence):
    job = market.submit().job
    run(job.id)
    narrow(licence)
    job = release(job.id)
    assert (job.state, job.reason_code) == (JobState.DENIED, "licence_purpose_not_covered")


def test_decisions_name_the_version_that_they_rest_on(market, licence):
    change_licence(licence, regions=("DE",))
    job = market.submit().job
    assert job.admission.licence_versions == {"espcn-x2": "open/2"}
    run(job.id)
    assert release(job.id).state == JobState.SEALING


def test_the_impact_of_a_narrowing_is_what_it_closes(market, licence, django_assert_num_queries):
    market.submit()
    proposal = propose_change(licence, purposes=(Purpose.RESEARCH,))

    impact = licence_impact(proposal, at=clock.now())

    with django_assert_num_queries(4):
        assert names(impact.closes) == {"works": 1, "creators": 1, "models": 1, "jobs": 1}
    assert names(impact.opens) == {"works": 0, "creators": 0, "models": 0, "jobs": 0}


@pytest.mark.parametrize(
    ("terms", "closed"),
    [
        ({"regions": ("US",)}, 1),
        ({"regions": ("DE",)}, 0),
        ({"partners": ("umbra",)}, 1),
        ({"partners": ("lumen",)}, 0),
        ({"obligations": ({"kind": "embed_provenance"},)}, 1),
        ({"obligations": ({"kind": "attribution", "parameters": {"text": "Ada"}},)}, 0),
        ({"purposes": tuple(Purpose)}, 0),
    ],
)
def test_jobs_close_where_the_terms_no_longer_cover_them(market, licence, terms, closed):
    market.submit()
    proposal = propose_change(licence, **terms)
    with supported_obligations.override(frozenset({"attribution"})):
        assert names(licence_impact(proposal, at=clock.now()).closes)["jobs"] == closed


def test_a_widening_opens_its_models(market, licence):
    proposal = propose_change(licence, purposes=tuple(Purpose))
    impact = licence_impact(proposal, at=clock.now())
    assert (names(impact.opens)["models"], names(impact.closes)["models"]) == (1, 0)
    assert LicenceVersion.objects.count() == 1


# a model that moves to another licence


@pytest.fixture
def research(market):
    return make_licence("research", name="Research", purposes=[Purpose.RESEARCH])


def propose_move(market, licence):
    return propose_model_licence(model=market.version.model, licence=licence, reason="A move", actor=AUTHOR)


def move(proposal, actor):
    return put_model_licence_in_force(proposal=proposal, digest=proposal.digest, actor=actor)


def test_a_move_is_shown_with_the_jobs_that_it_closes_and_opens(market, research):
    market.submit()
    proposal = propose_move(market, research)
    impact = model_licence_impact(proposal, at=clock.now())
    assert names(impact.closes) == {"works": 1, "creators": 1, "models": 1, "jobs": 1}
    assert names(impact.opens) == {"works": 0, "creators": 0, "models": 0, "jobs": 0}

    move(proposal, AUTHOR)
    back = model_licence_impact(propose_move(market, Licence.objects.get(slug="open")), at=clock.now())
    assert names(back.closes)["jobs"] == 0
    assert names(back.opens) == {"works": 1, "creators": 1, "models": 1, "jobs": 1}


def test_a_move_wakes_and_reaches_jobs_that_wait_run_and_are_about_to_be_released(market, research, sent):
    waiting, running, held = (market.submit().job for _ in range(3))
    run(held.id)
    sent.clear()

    class Meddling:
        def run(self, **arguments):
            move(propose_move(market, research), AUTHOR)
            return upscaler().run(**arguments)

    run_job(job_id=running.id, owner="w", runtimes=lambda _: Meddling(), moderator=moderator())

    running.refresh_from_db()
    assert (running.state, running.reason_code) == (JobState.QUEUED, "permit_licence_changed")
    assert {job for _, job in sent} == {str(waiting.id), str(held.id)}
    assert (run(waiting.id).reason_code, release(held.id).reason_code) == ("licence_purpose_not_covered",) * 2


def test_after_an_approved_move_the_job_goes_on(market, research):
    move(propose_move(market, research), AUTHOR)
    job = market.submit().job
    assert job.reason_code == "licence_purpose_not_covered"
    move(propose_move(market, Licence.objects.get(slug="open")), APPROVER)
    assert run(market.submit().job.id).state == JobState.MODERATING
