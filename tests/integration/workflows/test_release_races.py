"""What changes between the decision to release and the record of the release, and what a result must have come by."""

from django.core.files.storage import storages

from governance.catalog import services as catalog
from governance.catalog.choices import GrantMethod
from governance.decisions.models import Permit
from governance.jobs.choices import JobState
from governance.jobs.models import Job, JobOutput, OutputCandidate
from governance.kernel.errors import Unavailable
from governance.rulebook.activation import publish_without_review
from governance.rulebook.rules import parse_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.services import create_rule
from governance.workflows.cancel_job import cancel_job
from governance.workflows.release_job import release_job
from governance.workflows.run_job import run_job
from governance.workflows.types import AppliedImage, RuntimeResult
from inference_workers.obligations.carry_out import apply_obligations
from tests.factories.marketplace import TESTER, make_asset, moderator, png, release, run, seal, upscaler

RULE = {
    "id": "closed",
    "effect": "deny",
    "actions": ["output.release"],
    "condition": {"attr": "subject.region", "op": "eq", "value": "DE"},
    "reason_code": "region_blocked",
    "message": "Not in Germany.",
}


def release_while(job, meddle, carry_out=apply_obligations):
    """Release a job, with something happening to the world while the obligations are first carried out."""
    steps = iter([meddle])

    def meddle_then_carry_out(image, obligations, provenance, heartbeat):
        next(steps, lambda: None)()
        return carry_out(image, obligations, provenance, heartbeat)

    release_job(job_id=job.id, owner="w", moderator=moderator(), carry_out=meddle_then_carry_out)
    return Job.objects.get(id=job.id)


def unchanged(image, obligations, provenance, heartbeat):
    return AppliedImage(image, "image/png", 48, 32, applied=())


def test_a_job_cancelled_while_obligations_are_carried_out_is_not_released(market):
    job = market.submit().job
    run(job.id)
    job = release_while(job, lambda: cancel_job(job=job, actor=TESTER))
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "cancelled_on_request")
    assert not JobOutput.objects.exists()


def test_a_policy_published_while_obligations_are_carried_out_is_asked(market, django_user_model):
    author = django_user_model.objects.create_user("author")

    def publish_a_rule():
        create_rule(spec=parse_rule(RULE, current_schema()), enabled=True, actor_user=author)
        publish_without_review(actor=TESTER)

    job = market.submit().job
    run(job.id)
    job = release_while(job, publish_a_rule)
    assert (job.state, job.reason_code) == (JobState.DENIED, "region_blocked")
    assert not JobOutput.objects.exists()


def test_an_output_that_is_dropped_keeps_equal_output(market):
    first, second = market.submit().job, market.submit().job
    run(first.id)
    run(second.id)
    release_while(first, lambda: None, unchanged)
    released = seal(first.id).output
    assert release_while(second, market.withdraw, unchanged).state == JobState.DENIED
    assert storages["objects"].exists(released.object_name)


def test_an_output_that_is_dropped_keeps_equal_work(market):
    job = market.submit().job
    run(job.id)
    with storages["objects"].open(OutputCandidate.objects.get(job=job).object_name) as stream:
        image = stream.read()
    asset = make_asset(market.creator, image)
    release_while(job, market.withdraw, unchanged)
    assert storages["objects"].exists(asset.object_name)


def test_an_output_that_is_dropped_leaves_no_bytes(market):
    job = market.submit().job
    run(job.id)

    def change_consent():
        catalog.record_grant(
            creator=market.creator, asset=None, level=market.level, method=GrantMethod.CONSOLE, actor=TESTER
        )

    release_while(job, change_consent)
    kept = JobOutput.objects.get().object_name
    folder, name = kept.rsplit("/", 1)
    assert storages["objects"].listdir(folder)[1] == [name]


class Redeems:
    """A runtime that uses its permit up and then fails for a passing reason."""

    def run(self, **arguments):
        upscaler().run(**arguments)
        raise Unavailable("The accelerator is gone.", code="accelerator_gone")


class RedeemsNothing:
    """A runtime that computes without a permit."""

    def run(self, **arguments):
        return RuntimeResult(png(48, 32), "image/png", 48, 32, "cpu", 1)


def test_a_result_is_not_proven_by_the_permit_of_another_attempt(market):
    job = market.submit().job
    run_job(job_id=job.id, owner="w", runtimes=lambda _: Redeems(), moderator=moderator())
    Job.objects.update(not_before=job.created_at)
    run_job(job_id=job.id, owner="w", runtimes=lambda _: RedeemsNothing(), moderator=moderator())
    assert Permit.objects.filter(redeemed_at__isnull=False).count() == 1
    job = release(job.id)
    assert (job.state, job.reason_code) == (JobState.FAILED, "run_not_proven")
