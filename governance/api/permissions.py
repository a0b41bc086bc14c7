"""Which requests are authenticated, and what a token must cover for downloads and uploads.

Whether something may be done is decided by policy, not here.
"""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from governance.api.errors import NotCovered
from governance.jobs.models import Job
from governance.kernel.vocabulary import Action
from governance.partners.types import TokenGrant


class HasPartnerToken(BasePermission):
    """Lets requests through that carry a partner's live token."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Return whether authentication found such a token."""
        return isinstance(request.auth, TokenGrant)


def require_output_cover(grant: TokenGrant, job: Job) -> None:
    """Raise NotCovered unless the token covers releasing outputs of the job's model for the job's purpose."""
    slug = job.model_version.model.slug
    if Action.OUTPUT_RELEASE not in grant.actions:
        raise NotCovered(f"Reading outputs needs a token with the scope '{Action.OUTPUT_RELEASE}'.")
    if not grant.covers_model(slug) or job.purpose not in grant.purposes:
        raise NotCovered("The token does not cover the model or the purpose of this job.")


def require_dataset_cover(grant: TokenGrant, dataset: str | None) -> None:
    """Raise NotCovered unless the token covers works of this dataset; None stands for no dataset."""
    if not grant.covers_dataset(dataset):
        raise NotCovered("The token does not cover this dataset.")
