"""Sealing: the evidence of a release goes to WORM first; only then may the partner fetch the output."""

from uuid import UUID

from django.db import transaction

from governance.audit.evidence.anchoring import anchor_evidence
from governance.audit.log.log_alarms import ensure_running
from governance.audit.queries import evidence_for
from governance.audit.types import Actor, SubjectRef
from governance.jobs.choices import JobState
from governance.jobs.models import Job
from governance.jobs.services import move
from governance.workflows.candidates import discard_candidate_on_commit


def seal_job(*, job_id: UUID, actor: Actor) -> None:
    """Anchor the evidence of a job that waits for it, then release the job. Safe to repeat and to run concurrently.

    Raises what the WORM store raises, and LogHalted while the log has stopped, since nothing about the release could be
    proven then; the job keeps waiting and the sweeper sends it again.
    """
    evidence = evidence_for(SubjectRef("job", str(job_id)))
    if evidence is None or not Job.objects.filter(id=job_id, state=JobState.SEALING).exists():
        return
    ensure_running()
    anchor_evidence(evidence_id=evidence.id)
    with transaction.atomic():
        job = Job.objects.select_for_update(of=("self",)).get(id=job_id)
        if job.state == JobState.SEALING:
            move(job=job, to=JobState.RELEASED, actor=actor)
            discard_candidate_on_commit(job)
