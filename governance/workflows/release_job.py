"""Releasing a job: moderation of the output, the release decision, the obligations, and the evidence."""

from io import BytesIO
from uuid import UUID

from django.db import transaction

from governance.catalog.objects import put_object
from governance.catalog.types import StoredObject
from governance.decisions.choices import DecisionEffect, DecisionKind
from governance.decisions.facts import release_questions
from governance.decisions.models import DecisionRecord
from governance.decisions.permits import still_holds
from governance.decisions.queries import redeemed_permit
from governance.decisions.services import decide
from governance.decisions.types import ReleaseFacts
from governance.engines.types import Obligation
from governance.jobs.choices import JobState
from governance.jobs.dispatch import dispatch_on_commit
from governance.jobs.leases import lock_leased, worker
from governance.jobs.models import Job, JobOutput, OutputCandidate
from governance.jobs.outputs import keep_output
from governance.jobs.services import move
from governance.jobs.types import Lease
from governance.kernel.errors import IntegrityFault, Unavailable
from governance.moderation.choices import ModerationStage
from governance.moderation.models import ModerationVerdict
from governance.moderation.queries import latest_verdict
from governance.workflows.attempts import attempt, context_of, take_up
from governance.workflows.candidates import discard_stored, read_candidate
from governance.workflows.evidence import end_job, evidence_of
from governance.workflows.moderate import moderate
from governance.workflows.ports import Heartbeat, Moderator, ObligationHandler
from governance.workflows.safe_points import safe_points
from governance.workflows.submit_job import ending_of
from governance.workflows.types import AppliedImage, Provenance

OUTPUT_LIMIT = 512 * 1024 * 1024
DECISION_TRIES = 5


class ReleaseUnsettled(Unavailable):
    """Consent or policy kept changing while the release was decided; a later attempt decides again."""

    code = "release_unsettled"


class RunNotProven(IntegrityFault):
    """A result has no record of the permit or of the input moderation that must precede it."""

    code = "run_not_proven"


def release_job(*, job_id: UUID, owner: str, moderator: Moderator, carry_out: ObligationHandler) -> None:
    """Take a job whose result is waiting, and release or deny it. Never raises for failures of the job itself."""
    lease = take_up(job_id=job_id, owner=owner, waiting=JobState.MODERATING)
    if lease is not None:
        with attempt(lease) as alive:
            _release(lease, moderator, carry_out, safe_points(lease, alive))


def _release(lease: Lease, moderator: Moderator, carry_out: ObligationHandler, heartbeat: Heartbeat) -> None:
    candidate = OutputCandidate.objects.get(job_id=lease.job_id)
    image = read_candidate(candidate)
    verdict = moderate(lease=lease, stage=ModerationStage.OUTPUT, moderator=moderator, image=image, heartbeat=heartbeat)
    for _ in range(DECISION_TRIES):
        decision = _decide(lease, candidate, verdict)
        if decision is None:
            return
        applied = carry_out(image, _obligations(decision), _provenance(candidate, decision), heartbeat)
        if _seal_later(lease, decision, applied):
            return
    raise ReleaseUnsettled("Consent or policy kept changing while the release was decided.")


def _decide(lease: Lease, candidate: OutputCandidate, verdict: ModerationVerdict) -> DecisionRecord | None:
    """Decide the release with fresh facts. Returns None after a denial that ended the job."""
    with transaction.atomic():
        job = lock_leased(lease)
        context = context_of(job)
        assets = [each.asset for each in job.inputs.select_related("asset__creator", "asset__dataset")]
        decision = decide(
            kind=DecisionKind.RELEASE,
            job_id=job.id,
            context=context,
            asked=release_questions(
                context=context,
                version=job.model_version,
                assets=assets,
                release=_release_facts(job, candidate, verdict),
            ),
            actor=worker(lease.owner),
            request_id=job.request_id,
        )
        if decision.effect != DecisionEffect.PERMIT:
            end_job(job=job, to=JobState.DENIED, actor=worker(lease.owner), ending=ending_of(decision))
            return None
    return decision


def _release_facts(job: Job, candidate: OutputCandidate, output: ModerationVerdict) -> ReleaseFacts:
    source = latest_verdict(job_id=job.id, stage=ModerationStage.INPUT)
    if source is None or source.fencing_token != candidate.fencing_token:
        raise RunNotProven("No moderation of the input is on record for this result.")
    return ReleaseFacts(
        job_id=str(job.id),
        input_score=source.score,
        output_score=output.score,
        input_labels=tuple(each["label"] for each in source.labels),
        output_labels=tuple(each["label"] for each in output.labels),
        cancel_requested=job.cancel_requested,
        width=candidate.width,
        height=candidate.height,
    )


def _obligations(decision: DecisionRecord) -> list[Obligation]:
    return [Obligation(each["kind"], each.get("parameters", {})) for each in decision.obligations]


def _provenance(candidate: OutputCandidate, decision: DecisionRecord) -> Provenance:
    job = Job.objects.select_related("client", "model_version__model").get(id=candidate.job_id)
    permit = redeemed_permit(job.id)
    if permit is None or permit.fencing_token != candidate.fencing_token:
        raise RunNotProven("No redeemed permit is on record for this result.")
    return Provenance(
        job_id=str(job.id),
        decision_id=str(decision.id),
        permit_id=str(permit.id),
        model=job.model_version.model.slug,
        model_version=job.model_version.version,
        artifact_sha256=job.model_version.artifact_sha256,
        client_id=job.client.client_id,
    )


def _seal_later(lease: Lease, decision: DecisionRecord, applied: AppliedImage) -> bool:
    """Record output and evidence if the facts decided on still hold; return False and keep nothing if not.

    Raises JobStopped when the job must not go on. The creators' rows stay locked until this commits and the partner's
    stays shared, so a withdrawal, a revocation or a suspension either comes before and is seen, or comes after.
    """
    name = f"outputs/{lease.job_id}/{decision.id}"  # its own name: discarding it must not remove equal bytes
    stored = put_object(BytesIO(applied.image), limit=OUTPUT_LIMIT, name=name)
    sealed = False
    try:
        with transaction.atomic():
            job = lock_leased(lease)
            if still_holds(decision):
                _record_output(job, lease, decision, applied, stored)
                sealed = True
    finally:
        if not sealed:
            discard_stored(stored.name)
    return sealed


def _record_output(
    job: Job, lease: Lease, decision: DecisionRecord, applied: AppliedImage, stored: StoredObject
) -> None:
    output = JobOutput(
        job=job,
        object_name=stored.name,
        sha256=stored.sha256,
        size=stored.size,
        media_type=applied.media_type,
        width=applied.width,
        height=applied.height,
        obligations_applied=[dict(each) for each in applied.applied],
        release_decision=decision,
    )
    keep_output(output)
    job.dispatched_at = None
    move(job=job, to=JobState.SEALING, actor=worker(lease.owner))
    description = {
        "sha256": output.sha256,
        "size": output.size,
        "media_type": output.media_type,
        "width": output.width,
        "height": output.height,
        "obligations_applied": output.obligations_applied,
    }
    evidence_of(job=job, outcome=JobState.RELEASED, output=description)
    dispatch_on_commit(job)
