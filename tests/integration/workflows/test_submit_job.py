"""Admission: one transaction, one decision, one job."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from governance.audit.models import EvidenceRecord, OutboxEntry
from governance.decisions.choices import DecisionKind
from governance.decisions.models import DecisionRecord
from governance.engines.ports import policy_engine
from governance.jobs.choices import JobState
from governance.jobs.errors import IdempotencyConflict, TooManyOpenJobs
from governance.jobs.models import Job
from governance.kernel.vocabulary import Purpose
from governance.registry.errors import ModelNotFound, ModelVersionNotFound
from governance.rulebook.models import PolicyActivation
from governance.workflows.errors import AssetNotFound, IdempotencyKeyInvalid, InputTooLarge, TaskMismatch
from governance.workflows.submit_job import submit_job
from governance.workflows.types import JobRequest
from tests.factories.marketplace import make_asset, make_partner
from tests.history import guards_lifted


def kinds() -> list[str]:
    return list(OutboxEntry.objects.order_by("id").values_list("kind", flat=True))


def test_an_admitted_job_is_queued_and_sent(market, sent):
    job = market.submit().job
    assert job.state == JobState.QUEUED
    assert ("assent.inference.run_job", str(job.id)) in sent
    assert kinds()[-2:] == ["decision.recorded", "job.queued"]


def test_a_denied_job_is_stored_with_evidence_and_never_sent(market, sent):
    job = market.submit(purpose=Purpose.RESEARCH).job
    assert (job.state, job.reason_code) == (JobState.DENIED, "consent_not_covered")
    assert [name for name, *_ in sent] == ["assent.control.anchor_evidence"]
    assert EvidenceRecord.objects.get(subject_id=str(job.id)).outcome == "denied"


def test_a_licence_can_deny_what_the_creator_permits(market):
    job = market.submit(purpose=Purpose.DERIVATIVE_COMMERCIAL).job
    assert job.admission.reason_codes == ["licence_purpose_not_covered"]


def test_each_job_has_exactly_one_admission(market):
    for purpose in (Purpose.COMMERCIAL, Purpose.RESEARCH):
        market.submit(purpose=purpose)
    admissions = DecisionRecord.objects.filter(kind=DecisionKind.ADMISSION)
    assert sorted(admissions.values_list("job_id", flat=True)) == sorted(Job.objects.values_list("id", flat=True))


def test_the_same_key_and_request_is_the_same_job(market):
    first, again = market.submit(key="k-1"), market.submit(key="k-1")
    assert (again.job.id, again.created) == (first.job.id, False)
    assert DecisionRecord.objects.count() == 1


def test_the_same_key_with_another_request_is_a_conflict(market):
    market.submit(key="k-1")
    with pytest.raises(IdempotencyConflict):
        market.submit(key="k-1", purpose=Purpose.RESEARCH)


def test_keys_of_two_partners_do_not_meet(market):
    _, _, other = make_partner("northlight")
    request = JobRequest("espcn-x2", None, "upscale", Purpose.COMMERCIAL, (market.asset.id,))
    mine = market.submit(key="k-1").job
    theirs = submit_job(grant=other, request=request, idempotency_key="k-1", request_id="").job
    assert mine.id != theirs.id


def test_two_equal_requests_at_once_make_one_job(market):
    def submit(_):
        try:
            return market.submit(key="k-1").job.id
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        ids = set(pool.map(submit, range(2)))
    assert len(ids) == 1
    assert Job.objects.count() == 1


@pytest.mark.parametrize("key", ["x" * 129, "tab\there", "ümlaut"])
def test_an_unusable_key_is_refused(market, key):
    with pytest.raises(IdempotencyKeyInvalid):
        market.submit(key=key)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"model": "unknown"}, ModelNotFound),
        ({"model_ref": "9.9.9"}, ModelVersionNotFound),
        ({"task": "colourise"}, TaskMismatch),
        ({"inputs": ()}, TaskMismatch),
    ],
)
def test_what_does_not_exist_is_named_and_nothing_is_stored(market, change, error):
    request = {"model": "espcn-x2", "model_ref": None, "task": "upscale", "purpose": Purpose.COMMERCIAL}
    request |= {"inputs": (market.asset.id,)} | change
    with pytest.raises(error):
        submit_job(grant=market.grant, request=JobRequest(**request), idempotency_key="k", request_id="")
    assert not Job.objects.exists()


def test_a_work_of_which_the_model_would_make_too_much_is_refused_before_anything_is_queued(market, settings):
    settings.ASSENT_MAX_OUTPUT_PIXELS = 4 * 24 * 16
    market.submit()
    settings.ASSENT_MAX_OUTPUT_PIXELS -= 1
    with pytest.raises(InputTooLarge, match="at most 383 pixels") as raised:
        market.submit()
    assert raised.value.details["max_pixels"] == 24 * 16 - 1
    assert Job.objects.count() == 1


def test_another_partners_upload_is_not_found(market):
    foreign = make_asset(market.creator)
    type(foreign).objects.filter(id=foreign.id).update(uploaded_by_type="partner", uploaded_by_id="somebody-else")
    with pytest.raises(AssetNotFound):
        market.submit(asset=foreign)


def test_the_tier_limits_open_jobs(market):
    market.partner.tier.max_open_jobs = 1
    market.partner.tier.save()
    market.grant.partner.tier.refresh_from_db()
    market.submit()
    with pytest.raises(TooManyOpenJobs):
        market.submit()


def test_requests_at_once_do_not_pass_the_tier_s_limit(market):
    market.partner.tier.max_open_jobs = 1
    market.partner.tier.save()
    market.grant.partner.tier.refresh_from_db()

    def submit(_):
        try:
            return market.submit().created
        except TooManyOpenJobs:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(submit, range(12))) == 1
    assert Job.objects.count() == 1


def test_without_an_active_revision_everything_is_denied(market):
    with guards_lifted():
        PolicyActivation.objects.all().delete()
    job = market.submit().job
    assert (job.state, job.reason_code) == (JobState.DENIED, "no_active_revision")


def test_without_an_engine_everything_is_denied(market):
    class Broken:
        name = "broken"

        def evaluate(self, *, program, requests):
            raise RuntimeError("the engine is gone")

    with policy_engine.override(Broken()):
        job = market.submit().job
    assert (job.state, job.reason_code) == (JobState.DENIED, "engine_unavailable")
