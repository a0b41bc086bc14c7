"""Running a job: fresh decision, permit, moderation of the input, the model, and the result stored for release."""

from uuid import UUID

from django.db import transaction

from governance.catalog.objects import read_verified
from governance.decisions.choices import DecisionEffect, DecisionKind
from governance.decisions.facts import run_questions
from governance.decisions.models import Permit
from governance.decisions.permits import Binding, issue
from governance.decisions.services import decide
from governance.jobs.choices import JobState
from governance.jobs.dispatch import dispatch_on_commit
from governance.jobs.leases import forget_attempts, lease_end, lock_leased, worker
from governance.jobs.models import Job, JobInput, OutputCandidate
from governance.jobs.outputs import keep_candidate
from governance.jobs.services import move
from governance.jobs.types import Lease
from governance.kernel.canonical import sha256_hex
from governance.moderation.choices import ModerationStage
from governance.registry.artifacts import open_verified
from governance.workflows.attempts import attempt, context_of, take_up
from governance.workflows.candidates import discard_stored, store_candidate
from governance.workflows.evidence import end_job
from governance.workflows.moderate import moderate
from governance.workflows.ports import Heartbeat, Moderator, Runtimes
from governance.workflows.safe_points import safe_points
from governance.workflows.submit_job import ending_of
from governance.workflows.types import RuntimeResult


def run_job(*, job_id: UUID, owner: str, runtimes: Runtimes, moderator: Moderator) -> None:
    """Take the job if it is waiting, run it, and pass it on to moderation and release.

    `runtimes` returns the runtime that the model version names, and refuses an unknown name.
    Never raises for failures of the job itself: its state, events and evidence record them.
    """
    lease = take_up(job_id=job_id, owner=owner, waiting=JobState.QUEUED)
    if lease is not None:
        with attempt(lease) as alive:
            _run(lease, runtimes, moderator, safe_points(lease, alive))


def _run(lease: Lease, runtimes: Runtimes, moderator: Moderator, heartbeat: Heartbeat) -> None:
    job = Job.objects.select_related("model_version").get(id=lease.job_id)
    source = JobInput.objects.select_related("asset").get(job=job)
    image = read_verified(source.asset.object_name, source.sha256)
    runtime = runtimes(job.model_version.runtime)
    artifact = open_verified(job.model_version)
    moderate(lease=lease, stage=ModerationStage.INPUT, moderator=moderator, image=image, heartbeat=heartbeat)
    permit = _permit(lease, source.sha256)
    if permit is None:
        return
    result = runtime.run(
        permit_envelope=permit.envelope,
        job_id=job.id,
        artifact=artifact,
        config=job.model_version.config,
        image=image,
        heartbeat=heartbeat,
    )
    _hand_on(lease, result)


def _permit(lease: Lease, input_sha256: str) -> Permit | None:
    """Decide again with fresh facts. Returns the permit, or None after a denial that ended the job."""
    with transaction.atomic():
        job = lock_leased(lease)
        context = context_of(job)
        assets = [each.asset for each in job.inputs.select_related("asset__creator", "asset__dataset")]
        decision = decide(
            kind=DecisionKind.PERMIT,
            job_id=job.id,
            context=context,
            asked=run_questions(context=context, version=job.model_version, assets=assets),
            actor=worker(lease.owner),
            request_id=job.request_id,
        )
        if decision.effect != DecisionEffect.PERMIT:
            end_job(job=job, to=JobState.CANCELLED, actor=worker(lease.owner), ending=ending_of(decision))
            return None
        binding = Binding(
            job_id=job.id,
            fencing_token=lease.fencing_token,
            input_sha256=input_sha256,
            artifact_sha256=job.model_version.artifact_sha256,
            token_use=job.token_use,
        )
        permit = issue(decision=decision, binding=binding, actor=worker(lease.owner))
        move(job=job, to=JobState.RUNNING, actor=worker(lease.owner), lease_until=lease_end())
    return permit


def _hand_on(lease: Lease, result: RuntimeResult) -> None:
    name = store_candidate(lease=lease, image=result.image)
    try:
        with transaction.atomic():
            job = lock_leased(lease)
            candidate = OutputCandidate(
                job=job,
                fencing_token=lease.fencing_token,
                object_name=name,
                sha256=sha256_hex(result.image),
                width=result.width,
                height=result.height,
                device=result.device,
                duration_ms=result.duration_ms,
            )
            keep_candidate(candidate)
            forget_attempts(job)
            move(job=job, to=JobState.MODERATING, actor=worker(lease.owner))
            dispatch_on_commit(job)
    except Exception:
        discard_stored(name)
        raise
