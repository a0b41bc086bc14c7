"""Submitting a job: one transaction decides, records the decision, stores the job and puts both in the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from governance.audit.guards.advisory_locks import LockScope, wait_for_named_lock
from governance.audit.types import Actor
from governance.catalog.models import Asset
from governance.catalog.queries import visible_assets
from governance.decisions.choices import DecisionEffect, DecisionKind
from governance.decisions.facts import run_questions
from governance.decisions.models import DecisionRecord
from governance.decisions.services import decide
from governance.decisions.types import AccessContext
from governance.jobs.choices import JobState
from governance.jobs.dispatch import dispatch_on_commit
from governance.jobs.errors import IdempotencyConflict, TooManyOpenJobs
from governance.jobs.models import Job
from governance.jobs.queries import jobs_of, jobs_within, open_job_count
from governance.jobs.services import create_job
from governance.jobs.types import Ending, NewJob
from governance.kernel import clock
from governance.kernel.canonical import digest
from governance.kernel.ids import new_id
from governance.partners.models import Partner
from governance.partners.queries import read_again
from governance.partners.types import TokenGrant
from governance.registry.models import ModelVersion
from governance.registry.queries import resolve_version
from governance.registry.tasks import TASKS
from governance.workflows.errors import AssetNotFound, IdempotencyKeyInvalid, InputTooLarge, TaskMismatch
from governance.workflows.evidence import evidence_of
from governance.workflows.types import JobRequest

KEY_LENGTH = 128
INPUTS_PER_JOB = 1


@dataclass(frozen=True, slots=True)
class SubmitOutcome:
    """The job that a submission led to; `created` is False when the same request had been made before."""

    job: Job
    created: bool


def submit_job(*, grant: TokenGrant, request: JobRequest, idempotency_key: str, request_id: str) -> SubmitOutcome:
    """Admit or deny a job and return it; a denial is an outcome, stored and committed, not an error.

    The same key with the same request returns the first job. Raises IdempotencyKeyInvalid, IdempotencyConflict,
    ModelNotFound, AssetNotFound, TaskMismatch, InputTooLarge, TooManyOpenJobs, or TokenInvalid for a token that was
    revoked since it was checked; nothing is stored then.
    """
    _check_key(idempotency_key)
    request_digest = digest(request)
    with transaction.atomic():
        wait_for_named_lock(LockScope.IDEMPOTENCY, f"{grant.partner.id}:{idempotency_key}")
        earlier = jobs_of(partner_id=grant.partner.id).filter(idempotency_key=idempotency_key).first()
        if earlier is not None:
            return SubmitOutcome(job=_same_request(grant, earlier, request_digest), created=False)
        grant = read_again(grant)
        version, assets = _resolve(grant, request)
        _check_open_jobs(grant.partner)
        job_id = new_id()
        decision = _admission(job_id, grant, request, version, assets, request_id)
        if decision.effect == DecisionEffect.PERMIT:
            wait_for_named_lock(LockScope.OPEN_JOBS, grant.partner.id)
            _check_open_jobs(grant.partner)
        job = create_job(
            new=NewJob(
                id=job_id,
                partner=grant.partner,
                client=grant.client,
                task=request.task,
                version=version,
                purpose=request.purpose,
                assets=tuple(assets),
                token_grant=grant.coverage.to_details(),
                token_use=grant.use,
                idempotency_key=idempotency_key,
                request_digest=request_digest,
                request_id=request_id,
                admission=decision,
                deadline=clock.now() + timedelta(seconds=settings.ASSENT_JOB_DEADLINE_SECONDS),
            ),
            max_attempts=settings.ASSENT_JOB_MAX_ATTEMPTS,
            ending=ending_of(decision),
            actor=client_actor(grant),
        )
        if job.state == JobState.QUEUED:
            dispatch_on_commit(job)
        else:
            evidence_of(job=job, outcome=JobState.DENIED, output=None)
    return SubmitOutcome(job=job, created=True)


def ending_of(decision: DecisionRecord) -> Ending:
    """Return the code and sentence of why a decision denies; both empty for a permit."""
    if decision.effect == DecisionEffect.PERMIT:
        return Ending()
    first = decision.reasons[0]
    return Ending(first["code"], first["message"])


def client_actor(grant: TokenGrant) -> Actor:
    """Return the actor that stands for an API client in the ledger."""
    return Actor("client", grant.client.client_id)


def _check_key(key: str) -> None:
    if not 1 <= len(key) <= KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise IdempotencyKeyInvalid(f"The Idempotency-Key must be 1 to {KEY_LENGTH} printable ASCII characters.")


def _same_request(grant: TokenGrant, earlier: Job, request_digest: str) -> Job:
    visible = jobs_within(grant).filter(pk=earlier.pk).exists()
    if not visible or earlier.request_digest != request_digest:
        raise IdempotencyConflict(
            "This Idempotency-Key was used for another request. Use a new key for a new request.",
            details={"job_id": str(earlier.id)} if visible else {},
        )
    return earlier


def _resolve(grant: TokenGrant, request: JobRequest) -> tuple[ModelVersion, list[Asset]]:
    version = resolve_version(model_slug=request.model, ref=request.model_ref)
    if version.model.task != request.task:
        raise TaskMismatch(f"The model '{request.model}' does {version.model.task}, not {request.task}.")
    if len(request.inputs) != INPUTS_PER_JOB:
        raise TaskMismatch(f"The task '{request.task}' takes {INPUTS_PER_JOB} input, not {len(request.inputs)}.")
    assets = _assets(grant, request.inputs)
    _check_sizes(version, assets)
    return version, assets


def _check_sizes(version: ModelVersion, assets: Sequence[Asset]) -> None:
    """Refuse what no worker would finish before anything is queued."""
    task, most = TASKS[version.model.task], settings.ASSENT_MAX_OUTPUT_PIXELS
    for asset in assets:
        pixels = task.output_pixels(version.config, asset.width, asset.height)
        if pixels > most:
            accepted = most * asset.width * asset.height // pixels
            raise InputTooLarge(
                f"The work is {asset.width} × {asset.height}; of its {asset.width * asset.height} pixels this model "
                f"would make {pixels}. Ask for works of at most {accepted} pixels.",
                details={"field": "inputs", "asset": str(asset.id), "max_pixels": accepted},
            )


def _assets(grant: TokenGrant, ids: Sequence[UUID]) -> list[Asset]:
    visible = visible_assets(partner_id=grant.partner.id, datasets=grant.datasets)
    found = visible.select_related("creator", "dataset").in_bulk(list(ids))
    missing = [str(asset_id) for asset_id in ids if asset_id not in found]
    if missing:
        raise AssetNotFound("There is no such work for you.", details={"field": "inputs", "assets": missing})
    return [found[asset_id] for asset_id in ids]


def _check_open_jobs(partner: Partner) -> None:
    if open_job_count(partner_id=partner.id) >= partner.tier.max_open_jobs:
        raise TooManyOpenJobs(
            f"The tier allows {partner.tier.max_open_jobs} open jobs at a time. Wait for some to end.",
            details={"limit": partner.tier.max_open_jobs},
        )


def _admission(
    job_id: UUID,
    grant: TokenGrant,
    request: JobRequest,
    version: ModelVersion,
    assets: Sequence[Asset],
    request_id: str,
) -> DecisionRecord:
    context = AccessContext(
        partner=grant.partner,
        client_id=grant.client.client_id,
        token=grant.coverage,
        purpose=request.purpose,
        at=clock.now(),
    )
    return decide(
        kind=DecisionKind.ADMISSION,
        job_id=job_id,
        context=context,
        asked=run_questions(context=context, version=version, assets=assets),
        actor=client_actor(grant),
        request_id=request_id,
    )
