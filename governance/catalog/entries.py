"""Kinds of ledger entries of the catalogue: ids, digests and codes, never a name, a title or an address."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from governance.audit.recording.declarations import Entry, entry
from governance.audit.types import SubjectRef
from governance.catalog.models import Asset, ConsentGrant, Creator


def creator_ref(creator: Creator) -> SubjectRef:
    """Return how the ledger names a creator."""
    return SubjectRef("creator", str(creator.id))


def asset_ref(asset: Asset) -> SubjectRef:
    """Return how the ledger names an asset."""
    return SubjectRef("asset", str(asset.id))


@entry("consent.granted", subject="creator", receipt="consent-change/v1")
class ConsentGranted(Entry):
    """A creator permitted something, for one asset or for all that have no statement of their own."""

    statement: Annotated[UUID, "Id of the consent statement."]
    asset: Annotated[UUID | None, "The asset that it is about; null for the creator's default."]
    method: Annotated[str, "How the consent was given."]
    epoch: Annotated[int, "The creator's consent epoch that began with it."]
    level: Annotated[str | None, "Slug of the consent level."]
    regions: Annotated[tuple[str, ...], "Regions that it is limited to; empty for none."]
    partners_allowed: Annotated[tuple[str, ...], "Slugs of the partners that it is limited to; empty for none."]
    partners_excluded: Annotated[tuple[str, ...], "Slugs of the partners that it leaves out."]
    valid_from: Annotated[datetime, "From when it holds."]
    valid_until: Annotated[datetime | None, "Until when it holds; null for no end."]
    evidence_sha256: Annotated[str, "SHA-256 of the document that proves it; empty without one."]

    @classmethod
    def of(cls, grant: ConsentGrant) -> Self:
        """Return what the ledger says of a grant."""
        return cls(
            statement=grant.id,
            asset=grant.asset_id,
            method=grant.method,
            epoch=grant.epoch,
            level=grant.level.slug if grant.level else None,
            regions=tuple(grant.regions),
            partners_allowed=tuple(grant.partners_allowed),
            partners_excluded=tuple(grant.partners_excluded),
            valid_from=grant.valid_from,
            valid_until=grant.valid_until,
            evidence_sha256=grant.evidence_digest,
        )


@entry("consent.withdrawn", subject="creator", receipt="consent-change/v1")
class ConsentWithdrawn(Entry):
    """A creator took consent back, for one asset, as the default, or for everything."""

    statement: Annotated[UUID, "Id of the consent statement; of the default one if everything was withdrawn."]
    asset: Annotated[UUID | None, "The asset that it is about; null for the creator's default."]
    method: Annotated[str, "How the consent was withdrawn."]
    epoch: Annotated[int, "The creator's consent epoch that began with it."]
    everything: Annotated[bool, "Whether it covers every statement of the creator."]
    statements: Annotated[int, "How many statements were written, one for each asset that had one."]
    assets_sha256: Annotated[str, "SHA-256 of the sorted ids of these assets as canonical JSON."]


@entry("creator.erased", subject="creator", receipt="erasure/v1")
class CreatorErased(Entry):
    """A creator's personal data was deleted for good."""

    values: Annotated[int, "How many personal values were deleted."]
    titles: Annotated[int, "How many titles of works were deleted."]
    salts: Annotated[int, "How many salts of commitments were deleted."]
    epoch: Annotated[int, "The creator's consent epoch after it."]


@entry("asset.registered", subject="asset", receipt="upload/v1")
class AssetRegistered(Entry):
    """A creator's work was taken in."""

    creator: Annotated[UUID, "Id of the creator."]
    dataset: Annotated[UUID | None, "Id of the dataset that it is in; null for none."]
    sha256: Annotated[str, "SHA-256 of the file."]
    size: Annotated[int, "Size of the file in bytes."]
    media_type: Annotated[str, "Media type of the file."]
    width: Annotated[int, "Width in pixels."]
    height: Annotated[int, "Height in pixels."]
    uploaded_by: Annotated[str, "Who uploaded it, as type:id."]

    @classmethod
    def of(cls, asset: Asset) -> Self:
        """Return what is known of an asset when it is taken in."""
        return cls(
            creator=asset.creator_id,
            dataset=asset.dataset_id,
            sha256=asset.sha256,
            size=asset.size,
            media_type=asset.media_type,
            width=asset.width,
            height=asset.height,
            uploaded_by=f"{asset.uploaded_by_type}:{asset.uploaded_by_id}",
        )


def pair_codes(pairs: Collection[tuple[str, str]]) -> list[str]:
    """Return (action, purpose) pairs as sorted "action:purpose" texts."""
    return [f"{action}:{purpose}" for action, purpose in sorted(pairs)]
