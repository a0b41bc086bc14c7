"""What a job at work rests on, as its worker looks at it between the decisions."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.jobs.errors import JobCancelRequested, LeaseLost
from governance.jobs.models import WORKED_ON, JobInput
from governance.jobs.types import Lease
from governance.kernel import clock


@dataclass(frozen=True, slots=True)
class Grounds:
    """What may take the permission to run away from a job: two that are equal give the same answer.

    Of each input: the consent epoch and the status of its creator, and its own status.
    """

    partner_status: str
    tokens_valid_after: datetime | None
    token_revoked_at: datetime | None
    model_stage: str
    licence: UUID
    inputs: tuple[tuple[int, str, str], ...]


def grounds_of(lease: Lease) -> Grounds:
    """Return the grounds of a leased job now, by one query. Raises LeaseLost, or JobCancelRequested."""
    inputs = list(
        JobInput.objects.filter(
            job_id=lease.job_id,
            job__fencing_token=lease.fencing_token,
            job__state__in=WORKED_ON,
            job__lease_until__gt=clock.now(),
        )
        .select_related("job__partner", "job__token", "job__model_version__model__licence", "asset__creator")
        .order_by("id")
    )
    if not inputs:
        raise LeaseLost("The lease on this job has ended; another worker may have taken it.")
    job = inputs[0].job
    if job.cancel_requested:
        raise JobCancelRequested
    return Grounds(
        partner_status=job.partner.status,
        tokens_valid_after=job.partner.tokens_valid_after,
        token_revoked_at=job.token.revoked_at if job.token is not None else None,
        model_stage=job.model_version.stage,
        licence=job.model_version.model.licence.in_force_id,
        inputs=tuple(
            (each.asset.creator.consent_epoch, each.asset.creator.status, each.asset.status) for each in inputs
        ),
    )
