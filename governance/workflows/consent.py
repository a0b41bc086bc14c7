"""Consent changes and their effect on open jobs."""

from functools import partial
from typing import Unpack

from django.db import transaction
from django.db.models import QuerySet

from governance.audit.types import Actor
from governance.catalog import services as catalog
from governance.catalog.models import Asset, ConsentGrant, Creator
from governance.catalog.types import ConsentTerms
from governance.jobs.choices import JobState
from governance.jobs.dispatch import dispatch_each
from governance.jobs.models import OPEN_STATES, Job

WOKEN_AT_ONCE = 100


def grant_consent(
    *,
    creator: Creator,
    asset: Asset | None,
    method: str,
    actor: Actor,
    evidence_digest: str = "",
    **granted: Unpack[ConsentTerms],
) -> ConsentGrant:
    """Record a grant and wake the jobs it affects. Raises what `catalog.services.record_grant` raises."""
    with transaction.atomic():
        statement = catalog.record_grant(
            creator=creator, asset=asset, method=method, actor=actor, evidence_digest=evidence_digest, **granted
        )
        wake(affected_jobs(creator=creator, asset=asset))
    return statement


def withdraw_consent(
    *, creator: Creator, asset: Asset | None, everything: bool, method: str, actor: Actor
) -> ConsentGrant:
    """Record a withdrawal and wake the jobs it affects; each is decided again before it runs or releases anything."""
    with transaction.atomic():
        statement = catalog.record_withdrawal(
            creator=creator, asset=asset, everything=everything, method=method, actor=actor
        )
        wake(affected_jobs(creator=creator, asset=asset))
    return statement


def affected_jobs(*, creator: Creator, asset: Asset | None) -> QuerySet[Job]:
    """Return the open jobs that read a work of this creator, or just this work."""
    jobs = Job.objects.filter(state__in=OPEN_STATES, inputs__asset__creator=creator)
    return jobs if asset is None else jobs.filter(inputs__asset=asset)


def wake(jobs: QuerySet[Job]) -> None:
    """Send the first waiting jobs again after commit; the others still have their own messages."""
    rows = jobs.filter(state__in=[JobState.QUEUED, JobState.MODERATING]).order_by("created_at")
    waiting = [(job_id, JobState(state)) for job_id, state in rows.values_list("id", "state")[:WOKEN_AT_ONCE]]
    transaction.on_commit(partial(dispatch_each, waiting), robust=True)
