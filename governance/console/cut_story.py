"""What revoking tokens or suspending a partner does to jobs, as the pages that ask for confirmation show it."""

from typing import Any, TypedDict

from django.db.models import QuerySet

from governance.jobs.models import Job
from governance.jobs.queries import stages_of


class OnJobs(TypedDict):
    """The parts of a `Page` that show what happens to jobs."""

    template: str
    extra: dict[str, Any]


def on_jobs(jobs: QuerySet[Job], released_stay: str) -> OnJobs:
    """Return how many of the jobs that a cut reaches are how far, and what happens to them.

    `released_stay` says who can fetch outputs that were released before.
    """
    return {
        "template": "console/cut.html",
        "extra": {"stages": stages_of(jobs), "released_stay": released_stay},
    }
