"""How a job ends: its final state, and the signed statement (in-toto Statement v1) of everything that led to it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction

from governance.audit.evidence.issue import issue_evidence
from governance.audit.models import EvidenceRecord
from governance.audit.recording.predicates import PREDICATES
from governance.audit.types import Actor, SubjectRef
from governance.decisions.models import DecisionRecord
from governance.decisions.queries import decisions_for_job, redeemed_permit
from governance.jobs.choices import JobState
from governance.jobs.dispatch import send
from governance.jobs.entries import JOB_OUTCOME
from governance.jobs.models import Job
from governance.jobs.services import move
from governance.jobs.tasks import Task
from governance.jobs.types import Ending
from governance.kernel.canonical import Json, to_json_value
from governance.kernel.reason_codes import ReasonCode
from governance.moderation.queries import verdicts_for_job
from governance.workflows.candidates import discard_candidate_on_commit


def end_job(*, job: Job, to: JobState, actor: Actor, ending: Ending) -> EvidenceRecord:
    """Move a locked job to a final state other than released, and issue its evidence.

    A job whose cancellation was requested ends as cancelled, whatever its end would have been. A candidate output is
    removed once the transaction commits.
    """
    if job.cancel_requested:
        to, ending = JobState.CANCELLED, _on_request(to, ending)
    move(job=job, to=to, actor=actor, ending=ending)
    discard_candidate_on_commit(job)
    return evidence_of(job=job, outcome=to, output=None)


def _on_request(to: JobState, ending: Ending) -> Ending:
    """Return the ending of a cancelled job; where its worker found something wrong, the sentence says that too."""
    on_request = Ending.because(ReasonCode.CANCELLED_ON_REQUEST)
    if to != JobState.FAILED:
        return on_request
    return replace(on_request, message=f"{on_request.message} Its worker reported: {ending.message}")


def evidence_of(*, job: Job, outcome: str, output: dict[str, Json] | None) -> EvidenceRecord:
    """Issue the evidence record of a job in the current transaction, and request its anchoring in WORM after commit."""
    subject: dict[str, Json] = {"name": "request", "digest": {"sha256": job.request_digest}}
    if output is not None:
        subject = {"name": "output", "digest": {"sha256": output["sha256"]}}
    evidence = issue_evidence(
        subject=SubjectRef("job", str(job.id)),
        outcome=outcome,
        predicate_type=PREDICATES + JOB_OUTCOME,
        statement_subject=[subject],
        predicate=_predicate(job, outcome, output),
    )
    transaction.on_commit(request_anchoring, robust=True)
    return evidence


def request_anchoring() -> None:
    """Ask the control workers to write waiting evidence to WORM. If the broker is down, the schedule does it later."""
    send(task=Task.ANCHOR_EVIDENCE, queue=Task.ANCHOR_EVIDENCE.queue)


def _predicate(job: Job, outcome: str, output: dict[str, Json] | None) -> dict[str, Any]:
    version = job.model_version
    decisions = decisions_for_job(job.id)
    inputs = list(job.inputs.select_related("asset__creator").order_by("id"))
    # Evidence is kept for years: it names creators by id only, which identifies nobody once their data is erased.
    creators = {each.asset.creator.slug: str(each.asset.creator_id) for each in inputs}
    return {
        "job": str(job.id),
        "outcome": str(outcome),
        "reason_code": job.reason_code,
        "partner": job.partner.slug,
        "region": job.partner.region,
        "client": job.client.client_id,
        "task": job.task,
        "purpose": job.purpose,
        "request_sha256": job.request_digest,
        "submitted_at": to_json_value(job.created_at),
        "attempts": job.attempts,
        "model": {
            "slug": version.model.slug,
            "version": version.version,
            "artifact_sha256": version.artifact_sha256,
            "licence": version.model.licence.slug,
        },
        "inputs": [
            {"asset": str(each.asset_id), "sha256": each.sha256, "creator": str(each.asset.creator_id)}
            for each in inputs
        ],
        "decisions": [_decision(each, creators) for each in decisions],
        "permit": _permit(job.id),
        "moderation": _moderation(job.id),
        "output": output,
    }


def _decision(decision: DecisionRecord, creators: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": str(decision.id),
        "kind": decision.kind,
        "effect": decision.effect,
        "reason_codes": list(decision.reason_codes),
        "rules": sorted(_rules(decision.evaluations)),
        "obligations": decision.obligations,
        "facts_sha256": decision.facts_digest,
        "consent_epochs": {creators.get(slug, slug): epoch for slug, epoch in decision.consent_epochs.items()},
        "revision": decision.revision_digest,
        "engine": decision.engine,
        "decided_at": to_json_value(decision.decided_at),
    }


def _rules(evaluations: Iterable[dict[str, Any]]) -> set[str]:
    return {rule for each in evaluations for matched in each["matched_rules"].values() for rule in matched}


def _permit(job_id: UUID) -> dict[str, Any] | None:
    permit = redeemed_permit(job_id)
    if permit is None:
        return None
    return {
        "id": str(permit.id),
        "decision": str(permit.decision_id),
        "input_sha256": permit.input_sha256,
        "artifact_sha256": permit.artifact_sha256,
        "issued_at": to_json_value(permit.issued_at),
        "expires_at": to_json_value(permit.expires_at),
        "redeemed_at": to_json_value(permit.redeemed_at),
    }


def _moderation(job_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "stage": verdict.stage,
            "content_sha256": verdict.content_sha256,
            "moderator": verdict.moderator,
            "moderator_sha256": verdict.moderator_sha256,
            "score": verdict.score,
        }
        for verdict in verdicts_for_job(job_id)
    ]
