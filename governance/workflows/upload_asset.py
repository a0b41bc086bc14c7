"""A partner registers a work on a creator's behalf."""

from dataclasses import replace

from governance.audit.types import Actor, SubjectRef
from governance.catalog.errors import UploadNotAuthorised
from governance.catalog.models import Asset, Creator, Dataset
from governance.catalog.picture_limits import picture_limits
from governance.catalog.queries import UPLOADED_BY_PARTNER
from governance.catalog.types import IncomingFile
from governance.catalog.works import register_asset
from governance.partners.models import Tier
from governance.partners.types import TokenGrant
from governance.pictures.limits import Limits


def upload_asset(
    *, grant: TokenGrant, creator: Creator, title: str, file: IncomingFile, dataset: Dataset | None
) -> Asset:
    """Register a work for a creator who authorised the partner to do so.

    Otherwise a partner could register anybody's work under a creator whose consent suits it. The partner's tier may
    narrow the limits of images. Raises UploadNotAuthorised, and what `catalog.works.register_asset` raises.
    """
    if grant.partner.slug not in creator.uploaders:
        raise UploadNotAuthorised(
            f"The creator '{creator.slug}' has not authorised you to register works. "
            "The marketplace's governance team can record an authorisation.",
            details={"field": "creator"},
        )
    return register_asset(
        creator=creator,
        title=title,
        file=replace(file, limits=_limits_of(grant.partner.tier)),
        uploaded_by=SubjectRef(UPLOADED_BY_PARTNER, str(grant.partner.id)),
        dataset=dataset,
        actor=Actor("client", grant.client.client_id),
    )


def _limits_of(tier: Tier) -> Limits:
    return picture_limits().narrowed(
        max_pixels=tier.max_image_pixels,
        max_edge=tier.max_image_edge,
        max_ratio=tier.max_image_ratio,
        max_parts=tier.max_image_parts,
    )
