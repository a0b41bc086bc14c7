"""A partner registers a work on a creator's behalf."""

from governance.audit.types import Actor, SubjectRef
from governance.catalog.errors import UploadNotAuthorised
from governance.catalog.models import Asset, Creator, Dataset
from governance.catalog.queries import UPLOADED_BY_PARTNER
from governance.catalog.types import IncomingFile
from governance.catalog.works import register_asset
from governance.partners.types import TokenGrant


def upload_asset(
    *, grant: TokenGrant, creator: Creator, title: str, file: IncomingFile, dataset: Dataset | None
) -> Asset:
    """Register a work for a creator who authorised the partner to do so.

    Otherwise a partner could register anybody's work under a creator whose consent suits it. Raises
    UploadNotAuthorised, and what `catalog.works.register_asset` raises.
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
        file=file,
        uploaded_by=SubjectRef(UPLOADED_BY_PARTNER, str(grant.partner.id)),
        dataset=dataset,
        actor=Actor("client", grant.client.client_id),
    )
