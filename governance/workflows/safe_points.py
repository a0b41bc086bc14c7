"""Safe points: where a worker that computes finds out whether it may go on."""

from collections.abc import Callable

from django.db import transaction

from governance.decisions.choices import DecisionEffect, DecisionKind
from governance.decisions.facts import run_questions
from governance.decisions.services import answer_questions, decide
from governance.jobs.choices import JobState
from governance.jobs.leases import lock_leased, worker
from governance.jobs.types import Lease
from governance.workflows.attempts import context_of
from governance.workflows.errors import JobEnded
from governance.workflows.evidence import end_job
from governance.workflows.keep_alive import KeepAlive
from governance.workflows.submit_job import ending_of

#: How a job ends that is no longer permitted, by the state in which its worker finds out.
ENDS = {
    JobState.LEASED: JobState.CANCELLED,
    JobState.RUNNING: JobState.CANCELLED,
    JobState.RELEASING: JobState.DENIED,
}


def safe_points(lease: Lease, alive: KeepAlive) -> Callable[[], None]:
    """Return what the steps of a job call at least once a second while they compute. It raises what must stop them.

    That is LeaseLost, JobStopped, or JobEnded: when consent, token, partner, model or licence changed meanwhile, policy
    is asked again, and a denial ends the job there and then.
    """

    def look() -> None:
        alive.check()
        if alive.grounds_changed():
            end_unless_permitted(lease)

    return look


def end_unless_permitted(lease: Lease) -> None:
    """Ask policy again whether the job may run. After a denial, end the job with it and raise JobEnded."""
    with transaction.atomic():
        job = lock_leased(lease)
        context = context_of(job)
        assets = [each.asset for each in job.inputs.select_related("asset__creator", "asset__dataset")]
        asked = run_questions(context=context, version=job.model_version, assets=assets)
        if answer_questions(asked).permitted:
            return
        actor = worker(lease.owner)
        decision = decide(
            kind=DecisionKind.PERMIT,
            job_id=job.id,
            context=context,
            asked=asked,
            actor=actor,
            request_id=job.request_id,
        )
        if decision.effect == DecisionEffect.PERMIT:
            return
        end_job(job=job, to=ENDS[JobState(job.state)], actor=actor, ending=ending_of(decision))
    raise JobEnded("The job is no longer permitted, and has ended.")
