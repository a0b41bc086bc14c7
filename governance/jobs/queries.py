"""Reads across jobs."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from governance.jobs.choices import JobState
from governance.jobs.dispatch import TASKS
from governance.jobs.errors import JobNotFound, OutputNotReleased
from governance.jobs.models import OPEN_STATES, Job, JobInput, JobOutput
from governance.jobs.types import Stages
from governance.kernel import clock
from governance.partners.types import TokenGrant


def jobs_of(*, partner_id: UUID) -> QuerySet[Job]:
    """Return a partner's jobs, newest first, with the related rows that lists show."""
    return (
        Job.objects.filter(partner_id=partner_id)
        .select_related("partner", "client", "model_version__model__licence__in_force", "admission", "output")
        .prefetch_related("inputs__asset")
        .order_by("-created_at")
    )


def jobs_within(grant: TokenGrant) -> QuerySet[Job]:
    """Return the jobs of a token's partner whose model, purpose and inputs the token covers, newest first."""
    jobs = jobs_of(partner_id=grant.partner.id).filter(purpose__in=grant.purposes)
    if grant.models is not None:
        jobs = jobs.filter(model_version__model__slug__in=grant.models)
    if grant.datasets is not None:
        outside = JobInput.objects.filter(job=OuterRef("pk")).exclude(asset__dataset__slug__in=grant.datasets)
        jobs = jobs.exclude(Exists(outside))
    return jobs


def job_within(grant: TokenGrant, job_id: UUID) -> Job:
    """Return one job that a token covers. Raises JobNotFound, also for a job that it does not cover."""
    job = jobs_within(grant).filter(id=job_id).first()
    if job is None:
        raise JobNotFound("There is no such job.")
    return job


def released_output(*, job: Job) -> JobOutput:
    """Return the output of a released job. Raises OutputNotReleased in every other state."""
    if job.state != JobState.RELEASED:
        raise OutputNotReleased(
            f"The job is {job.get_state_display().lower()}; only a released job has an output.",
            details={"state": job.state},
        )
    return job.output


def open_job_count(*, partner_id: UUID) -> int:
    """Return how many jobs of a partner have not ended."""
    return Job.objects.filter(partner_id=partner_id, state__in=OPEN_STATES).count()


def stages_of(jobs: QuerySet[Job]) -> Stages:
    """Return how far these jobs are; those that ended without a release are not counted."""
    of = {
        "queued": [JobState.QUEUED],
        "running": [JobState.LEASED, JobState.RUNNING],
        "held": [JobState.MODERATING, JobState.RELEASING],
        "sealing": [JobState.SEALING],
        "released": [JobState.RELEASED],
    }
    return Stages(**jobs.aggregate(**{name: Count("pk", filter=Q(state__in=states)) for name, states in of.items()}))


def unsent_jobs(*, limit: int) -> list[tuple[UUID, JobState]]:
    """Return waiting jobs whose message no broker has accepted, oldest first."""
    waiting = Job.objects.filter(dispatched_at=None, state__in=list(TASKS), not_before__lte=clock.now())
    rows = waiting.order_by("created_at").values_list("id", "state")[:limit]
    return [(job_id, JobState(state)) for job_id, state in rows]


def sent_job_count(*, state: JobState) -> int:
    """Return how many jobs wait in a state with a message under way."""
    return Job.objects.filter(state=state, dispatched_at__isnull=False, not_before__lte=clock.now()).count()


def unanswered_jobs(*, state: JobState, limit: int) -> list[tuple[UUID, JobState]]:
    """Return jobs that still wait in a state long after their message was sent, longest first."""
    now = clock.now()
    long_ago = now - timedelta(seconds=settings.ASSENT_REDISPATCH_SECONDS)
    waiting = Job.objects.filter(state=state, dispatched_at__lt=long_ago, not_before__lte=now)
    return [(job_id, state) for job_id in waiting.order_by("dispatched_at").values_list("id", flat=True)[:limit]]


def overdue_jobs(*, limit: int) -> list[UUID]:
    """Return open jobs past their deadline. A job that only waits for sealing is not overdue."""
    late = Job.objects.filter(state__in=OPEN_STATES, deadline__lte=clock.now()).exclude(state=JobState.SEALING)
    return list(late.order_by("deadline").values_list("id", flat=True)[:limit])
