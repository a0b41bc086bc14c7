"""A version of a licence comes into force while jobs wait, run or are about to be released."""

import pytest

from governance.decisions.ports import supported_obligations
from governance.jobs.choices import JobState
from governance.jobs.models import Job
from governance.kernel import clock
from governance.kernel.vocabulary import Purpose
from governance.registry.models import LicenceVersion
from governance.workflows.impact import licence_impact
from governance.workflows.levels import put_licence_in_force
from governance.workflows.run_job import run_job
from tests.factories.levels import AUTHOR
from tests.factories.licences import change_licence, propose_change
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
