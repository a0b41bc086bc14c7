"""Reads across decision records."""

from uuid import UUID

from django.db.models import QuerySet

from governance.decisions.models import DecisionRecord, Permit


def decisions_of(*, partner_slug: str) -> QuerySet[DecisionRecord]:
    """Return the decisions that were made for a partner, newest first."""
    return DecisionRecord.objects.filter(partner=partner_slug).order_by("-decided_at")


def decisions_for_job(job_id: UUID) -> list[DecisionRecord]:
    """Return every decision about a job, oldest first, with its permit if it led to one."""
    return list(DecisionRecord.objects.filter(job_id=job_id).select_related("permit").order_by("decided_at", "id"))


def redeemed_permit(job_id: UUID) -> Permit | None:
    """Return the permit of the job's last run, if any."""
    return Permit.objects.filter(job_id=job_id, redeemed_at__isnull=False).order_by("-fencing_token").first()
