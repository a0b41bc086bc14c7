"""A job's way through the workers, and every way in which it can go wrong."""

from contextlib import contextmanager
from io import BytesIO

import pytest
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import F
from PIL import Image

from governance.audit.models import EvidenceRecord, OutboxEntry, WormReference
from governance.catalog import services as catalog
from governance.catalog.choices import GrantMethod
from governance.decisions.choices import DecisionKind
from governance.decisions.models import DecisionRecord, Permit
from governance.engines.ports import policy_engine
from governance.jobs.choices import JobState
from governance.jobs.errors import LeaseLost, TransitionRefused
from governance.jobs.leases import lock_leased, take_lease
from governance.jobs.models import Job, JobOutput, OutputCandidate
from governance.kernel.errors import Unavailable
from governance.moderation.models import ModerationVerdict
from governance.rulebook.activation import publish_without_review
from governance.rulebook.models import PolicyActivation
from governance.rulebook.rules import parse_rule
from governance.rulebook.schema import current_schema
from governance.rulebook.services import create_rule
from governance.workflows.cancel_job import cancel_job
from governance.workflows.release_job import release_job
from governance.workflows.run_job import run_job
from governance.workflows.types import LabelScore, ModerationScores
from inference_workers.obligations.carry_out import apply_obligations
from tests.factories.marketplace import TESTER, finish, moderator, release, run, seal, upscaler
from tests.history import guards_lifted


class Suspicious:
    """A moderator that finds every output unsafe; the real one never does on a plain colour."""

    name = "suspicious"
    artifact_digest = "0" * 64

    def score(self, image, heartbeat):
        return ModerationScores(score=0.9, labels=(LabelScore("FEMALE_BREAST_EXPOSED", 0.9),))


class Meddling:
    """The real runtime, with something happening to the world between the permit and its redemption."""

    def __init__(self, meddle):
        self.meddle = meddle

    def run(self, **arguments):
        self.meddle()
        return upscaler().run(**arguments)


def run_with(job, runtime):
    run_job(job_id=job.id, owner="worker-1", runtimes=lambda _: runtime, moderator=moderator())
    return Job.objects.get(id=job.id)


def ledger_kinds(job):
    entries = OutboxEntry.objects.filter(subject_type="job", subject_id=str(job.id)).order_by("id")
    return list(entries.values_list("kind", flat=True))


@contextmanager
def stored_object_altered(name):
    with storages["objects"].open(name) as stream:
        original = stream.read()
    storages["objects"].delete(name)
    storages["objects"].save(name, BytesIO(original[:-1] + bytes([original[-1] ^ 1])))
    yield


def test_a_job_is_run_moderated_released_and_sealed(market):
    job = finish(market.submit().job.id)
    assert job.state == JobState.RELEASED
    with storages["objects"].open(job.output.object_name) as stream:
        image = Image.open(stream)
        assert image.size == (48, 32)
        assert str(job.id) in image.text["assent:provenance"]
    assert [event.to_state for event in job.events.all()] == [
        "queued", "leased", "running", "moderating", "releasing", "sealing", "released",
    ]  # fmt: skip


def test_the_record_of_a_release_is_complete(market):
    job = finish(market.submit().job.id)
    kinds = DecisionRecord.objects.filter(job_id=job.id).order_by("decided_at").values_list("kind", flat=True)
    assert list(kinds) == [DecisionKind.ADMISSION, DecisionKind.PERMIT, DecisionKind.RELEASE]
    assert Permit.objects.filter(job_id=job.id, redeemed_at__isnull=False).count() == 1
    assert sorted(ModerationVerdict.objects.values_list("stage", flat=True)) == ["input", "output"]
    evidence = EvidenceRecord.objects.get(subject_id=str(job.id))
    assert evidence.outcome == "released"
    assert WormReference.objects.filter(evidence=evidence).count() == 1


def test_only_the_released_bytes_stay_in_storage(market):
    job = finish(market.submit().job.id)
    assert not storages["objects"].exists(OutputCandidate.objects.get(job=job).object_name)
    assert storages["objects"].exists(job.output.object_name)


def test_nothing_is_released_before_the_seal(market):
    job = market.submit().job
    run(job.id)
    assert release(job.id).state == JobState.SEALING


def test_consent_withdrawn_in_the_queue_cancels_the_job(market):
    job = market.submit().job
    market.withdraw()
    job = run(job.id)
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "consent_withdrawn")
    assert not Permit.objects.exists()
    assert EvidenceRecord.objects.get().outcome == "cancelled"


def test_consent_withdrawn_between_permit_and_redemption_stops_the_run(market):
    job = run_with(market.submit().job, Meddling(market.withdraw))
    assert (job.state, job.reason_code) == (JobState.QUEUED, "permit_consent_changed")
    assert "permit.refused" in OutboxEntry.objects.values_list("kind", flat=True)
    Job.objects.update(not_before=job.created_at)
    job = run(job.id)
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "consent_withdrawn")


def test_a_policy_published_between_permit_and_redemption_stops_the_run(market, django_user_model):
    author = django_user_model.objects.create_user("author")

    def publish_a_rule():
        rule = {
            "id": "closed",
            "effect": "deny",
            "actions": ["model.invoke"],
            "condition": {"attr": "subject.region", "op": "eq", "value": "DE"},
            "reason_code": "region_blocked",
            "message": "Not in Germany.",
        }
        create_rule(spec=parse_rule(rule, current_schema()), enabled=True, actor_user=author)
        publish_without_review(actor=TESTER)

    job = run_with(market.submit().job, Meddling(publish_a_rule))
    assert (job.state, job.reason_code) == (JobState.QUEUED, "permit_policy_changed")


def test_consent_withdrawn_while_running_is_seen_at_release(market):
    job = market.submit().job
    run(job.id)
    market.withdraw()
    job = release(job.id)
    assert (job.state, job.reason_code) == (JobState.DENIED, "consent_withdrawn")
    assert not JobOutput.objects.exists()
    assert not storages["objects"].exists(OutputCandidate.objects.get(job=job).object_name)


def test_consent_withdrawn_while_obligations_are_carried_out_is_seen_too(market):
    job = market.submit().job
    run(job.id)

    def withdraw_then_carry_out(image, obligations, context, heartbeat):
        if not JobOutput.objects.exists() and market.creator.consent_grants.filter(kind="withdrawal").count() == 0:
            market.withdraw()
        return apply_obligations(image, obligations, context, heartbeat)

    release_job(job_id=job.id, owner="w", moderator=moderator(), carry_out=withdraw_then_carry_out)
    job.refresh_from_db()
    assert (job.state, job.reason_code) == (JobState.DENIED, "consent_withdrawn")
    assert not JobOutput.objects.exists()


def test_an_unsafe_output_is_denied(market):
    job = market.submit().job
    run(job.id)
    release_job(job_id=job.id, owner="w", moderator=Suspicious(), carry_out=apply_obligations)
    job.refresh_from_db()
    assert (job.state, job.reason_code) == (JobState.DENIED, "moderation_output_unsafe")
    assert EvidenceRecord.objects.get().outcome == "denied"


def test_an_engine_lost_before_the_permit_cancels_the_job(market):
    job = market.submit().job

    class Broken:
        name = "broken"

        def evaluate(self, *, program, requests):
            raise OSError("gone")

    with policy_engine.override(Broken()):
        job = run(job.id)
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "engine_unavailable")


def test_a_missing_revision_before_the_permit_cancels_the_job(market):
    job = market.submit().job
    with guards_lifted():
        PolicyActivation.objects.all().delete()
    job = run(job.id)
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "no_active_revision")


def test_an_altered_artifact_fails_the_job(market):
    job = market.submit().job
    with stored_object_altered(market.version.artifact_object):
        job = run(job.id)
    assert (job.state, job.reason_code) == (JobState.FAILED, "artifact_altered")
    assert not Permit.objects.exists()


def test_an_altered_copy_of_the_artifact_on_the_worker_fails_the_job(market, private_data):
    run(market.submit().job.id)
    copy = private_data / "artifacts" / market.version.artifact_sha256
    copy.chmod(0o600)
    copy.write_bytes(b"other weights")
    job = run(market.submit().job.id)
    assert (job.state, job.reason_code) == (JobState.FAILED, "artifact_altered")
    assert not Permit.objects.filter(job_id=job.id).exists()


def test_an_altered_input_fails_the_job(market):
    job = market.submit().job
    with stored_object_altered(market.asset.object_name):
        job = run(job.id)
    assert (job.state, job.reason_code) == (JobState.FAILED, "object_altered")


def test_an_altered_candidate_fails_the_job(market):
    job = market.submit().job
    run(job.id)
    with stored_object_altered(OutputCandidate.objects.get(job=job).object_name):
        job = release(job.id)
    assert (job.state, job.reason_code) == (JobState.FAILED, "candidate_altered")


def test_a_message_delivered_twice_runs_the_job_once(market):
    job = market.submit().job
    run(job.id)
    run(job.id, owner="worker-2")
    release(job.id)
    release(job.id, owner="worker-2")
    seal(job.id)
    seal(job.id)
    assert JobOutput.objects.count() == 1
    assert ledger_kinds(job).count("job.released") == 1


def test_two_workers_on_one_job_only_one_gets_it(market):
    job = market.submit().job
    first = take_lease(job_id=job.id, owner="worker-1", waiting=JobState.QUEUED)
    assert first is not None
    assert take_lease(job_id=job.id, owner="worker-2", waiting=JobState.QUEUED) is None


def test_a_worker_with_an_old_lease_can_write_nothing(market):
    job = market.submit().job
    old = take_lease(job_id=job.id, owner="worker-1", waiting=JobState.QUEUED)
    Job.objects.filter(id=job.id).update(state=JobState.QUEUED, lease_until=None)
    take_lease(job_id=job.id, owner="worker-2", waiting=JobState.QUEUED)
    with pytest.raises(LeaseLost), transaction.atomic():
        lock_leased(old)


def test_a_passing_fault_sends_the_job_back_until_no_attempt_is_left(market):
    class Flaky:
        def run(self, **arguments):
            raise Unavailable("The accelerator is busy.", code="accelerator_busy")

    job = market.submit().job
    states = []
    for _ in range(job.max_attempts):
        Job.objects.update(not_before=job.created_at)
        states.append(run_with(job, Flaky()).state)
    job.refresh_from_db()
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    assert job.reason_code == "attempts_exhausted"
    assert "accelerator is busy" in job.reason


def test_an_unexpected_error_of_the_worker_is_a_passing_fault(market):
    class Crashing:
        def run(self, **arguments):
            raise ZeroDivisionError

    job = run_with(market.submit().job, Crashing())
    assert (job.state, job.reason_code) == (JobState.QUEUED, "worker_error")


def test_a_waiting_job_is_cancelled_at_once(market):
    job = cancel_job(job=market.submit().job, actor=TESTER)
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "cancelled_on_request")
    assert run(job.id).state == JobState.CANCELLED


def test_a_job_cancelled_while_it_runs_is_not_released(market):
    job = market.submit().job

    def cancel():
        cancel_job(job=job, actor=TESTER)

    job = run_with(job, Meddling(cancel))
    job = release(job.id)
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "cancelled_on_request")
    assert not JobOutput.objects.exists()


def test_cancelling_twice_is_the_same_as_once(market):
    job = cancel_job(job=market.submit().job, actor=TESTER)
    assert cancel_job(job=job, actor=TESTER).state == JobState.CANCELLED


def test_a_cancel_request_is_seen_before_the_permit(market):
    job = market.submit().job

    class CancelsMeanwhile:
        name, artifact_digest = "cancelling", "0" * 64

        def score(self, image, heartbeat):
            cancel_job(job=job, actor=TESTER)
            cancel_job(job=job, actor=TESTER)
            return moderator().score(image, heartbeat)

    run_job(job_id=job.id, owner="w", runtimes=lambda _: upscaler(), moderator=CancelsMeanwhile())
    job.refresh_from_db()
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "cancelled_on_request")
    assert ledger_kinds(job).count("job.cancel_requested") == 1
    assert not Permit.objects.exists()


def test_a_cancel_request_is_seen_before_the_release(market):
    job = market.submit().job
    run(job.id)

    class CancelsMeanwhile:
        name, artifact_digest = "cancelling", "0" * 64

        def score(self, image, heartbeat):
            cancel_job(job=job, actor=TESTER)
            return moderator().score(image, heartbeat)

    release_job(job_id=job.id, owner="w", moderator=CancelsMeanwhile(), carry_out=apply_obligations)
    job.refresh_from_db()
    assert (job.state, job.reason_code) == (JobState.CANCELLED, "cancelled_on_request")


@pytest.mark.parametrize("ended", ["released", "sealing"])
def test_what_is_as_good_as_released_cannot_be_cancelled(market, ended):
    job = market.submit().job
    run(job.id)
    release(job.id)
    steps = {"released": [seal], "sealing": []}[ended]
    _ = [step(job.id) for step in steps]
    with pytest.raises(TransitionRefused):
        cancel_job(job=job, actor=TESTER)


def test_a_candidate_that_no_longer_exists_fails_the_job(market):
    job = market.submit().job
    run(job.id)
    storages["objects"].delete(OutputCandidate.objects.get(job=job).object_name)
    assert release(job.id).reason_code == "candidate_altered"


@pytest.mark.parametrize("record", [ModerationVerdict, Permit])
def test_a_result_without_the_records_it_needs_is_not_released(market, record):
    job = market.submit().job
    run(job.id)
    with guards_lifted():
        record.objects.all().delete()
    job = release(job.id)
    assert (job.state, job.reason_code) == (JobState.FAILED, "run_not_proven")


def test_consent_that_keeps_changing_postpones_the_release(market):
    job = market.submit().job
    run(job.id)

    def change_then_carry_out(image, obligations, provenance, heartbeat):
        catalog.record_grant(
            creator=market.creator, asset=None, level=market.level, method=GrantMethod.CONSOLE, actor=TESTER
        )
        return apply_obligations(image, obligations, provenance, heartbeat)

    release_job(job_id=job.id, owner="w", moderator=moderator(), carry_out=change_then_carry_out)
    job.refresh_from_db()
    assert (job.state, job.reason_code) == (JobState.MODERATING, "release_unsettled")
    assert not JobOutput.objects.exists()


def test_a_worker_that_lost_its_lease_while_running_leaves_nothing_behind(market):
    job = market.submit().job

    def lose_the_lease():
        Job.objects.filter(id=job.id).update(fencing_token=F("fencing_token") + 1)

    run_with(job, Meddling(lose_the_lease))
    job.refresh_from_db()
    assert job.state == JobState.RUNNING
    assert not OutputCandidate.objects.exists()
    assert storages["objects"].listdir(f"candidates/{job.id}")[1] == []


def test_rows_say_what_they_are(market):
    job = finish(market.submit().job.id)
    rows = [*DecisionRecord.objects.all(), *Permit.objects.all(), job, job.output, job.candidate, *job.events.all()]
    rows += [*job.inputs.all(), *ModerationVerdict.objects.all()]
    assert all(str(row) for row in rows)
