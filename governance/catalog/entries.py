"""Kinds of ledger entries of the catalogue: ids, digests and codes, never a name, a title or an address."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from governance.audit.recording.declarations import Entry, Since, entry
from governance.audit.recording.states import State, StateEntry
from governance.audit.types import SubjectRef
from governance.catalog.models import Asset, ConsentGrant, Creator
from governance.catalog.proposals import ProposalChanged
from governance.catalog.states import (
    ASSET_SUBJECT,
    ASSETS,
    CREATOR_SUBJECT,
    CREATORS,
    DATASET_SUBJECT,
    LEVEL_PROPOSAL_SUBJECT,
    LEVEL_SUBJECT,
    REVIEW_SUBJECT,
)


def creator_ref(creator: Creator) -> SubjectRef:
    """Return the subject of a creator in the ledger."""
    return CREATORS.ref(creator)


def asset_ref(asset: Asset) -> SubjectRef:
    """Return the subject of an asset in the ledger."""
    return ASSETS.ref(asset)


@entry("consent.granted", subject=CREATOR_SUBJECT, receipt="consent-change/v1")
class ConsentGranted(Entry):
    """A creator granted consent, for one asset or for all without their own statement."""

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
    level_version: Annotated[int | None, "Number of the level's version that the creator agreed to.", Since("0.2")]

    @classmethod
    def of(cls, grant: ConsentGrant) -> Self:
        """Return the entry about a grant."""
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
            level_version=grant.level_version.number if grant.level_version else None,
        )


@entry("consent.withdrawn", subject=CREATOR_SUBJECT, receipt="consent-change/v1")
class ConsentWithdrawn(Entry):
    """A creator withdrew consent for one asset, as the default, or for everything."""

    statement: Annotated[UUID, "Id of the consent statement; of the default one if everything was withdrawn."]
    asset: Annotated[UUID | None, "The asset that it is about; null for the creator's default."]
    method: Annotated[str, "How the consent was withdrawn."]
    epoch: Annotated[int, "The creator's consent epoch that began with it."]
    everything: Annotated[bool, "Whether it covers every statement of the creator."]
    statements: Annotated[int, "How many statements were written, one for each asset that had one."]
    assets_sha256: Annotated[str, "SHA-256 of the sorted ids of these assets as canonical JSON."]


@entry("creator.created", subject=CREATOR_SUBJECT)
class CreatorCreated(StateEntry):
    """A creator was added to the catalogue."""

    fields: Annotated[tuple[str, ...], "Names of the fields that were filled in."]


@entry(
    "creator.deleted",
    subject=CREATOR_SUBJECT,
    retired="0.2",
    unmatched="It has no state. Creators are no longer deleted: their personal data is erased.",
)
class CreatorDeleted(Entry):
    """A creator without works was deleted in the console."""


@entry("creator.changed", subject=CREATOR_SUBJECT)
class CreatorChanged(StateEntry):
    """The details of a creator were changed."""

    fields: Annotated[tuple[str, ...], "Names of the fields that were changed."]


@entry("creator.committed", subject=CREATOR_SUBJECT, unmatched="Values change, and their salts are deleted on demand.")
class CreatorCommitted(Entry):
    """Commitments to personal values of a creator, with which the creator can prove whom the entry is about."""

    commitments: Annotated[dict[str, str], "By the name of each value, the SHA-256 of name, salt and value."]


@entry("creator.status_changed", subject=CREATOR_SUBJECT)
class CreatorStatusChanged(StateEntry):
    """A creator was suspended, or reinstated."""

    status: Annotated[str, "The status from now on."]
    epoch: Annotated[int, "The creator's consent epoch that began with it."]


@entry("creator.adopted", subject=CREATOR_SUBJECT, since="0.2")
class CreatorAdopted(StateEntry):
    """A creator older than recorded states was recorded as it was at the upgrade."""


@entry("creator.erased", subject=CREATOR_SUBJECT, receipt="erasure/v1")
class CreatorErased(StateEntry):
    """A creator's personal data was deleted for good."""

    values: Annotated[int, "How many personal values were deleted."]
    titles: Annotated[int, "How many titles of works were deleted."]
    salts: Annotated[int, "How many salts of commitments were deleted."]
    epoch: Annotated[int, "The creator's consent epoch after it."]


@entry("asset.registered", subject=ASSET_SUBJECT, receipt="upload/v1")
class AssetRegistered(StateEntry):
    """A creator's work was registered."""

    creator: Annotated[UUID, "Id of the creator."]
    dataset: Annotated[UUID | None, "Id of the dataset that it is in; null for none."]
    sha256: Annotated[str, "SHA-256 of the file."]
    size: Annotated[int, "Size of the file in bytes."]
    media_type: Annotated[str, "Media type of the file."]
    width: Annotated[int, "Width in pixels."]
    height: Annotated[int, "Height in pixels."]
    uploaded_by: Annotated[str, "Who uploaded it, as type:id."]

    @classmethod
    def of(cls, asset: Asset, state: State) -> Self:
        """Return the entry about a new asset."""
        return cls(
            before=None,
            after=state,
            creator=asset.creator_id,
            dataset=asset.dataset_id,
            sha256=asset.sha256,
            size=asset.size,
            media_type=asset.media_type,
            width=asset.width,
            height=asset.height,
            uploaded_by=f"{asset.uploaded_by_type}:{asset.uploaded_by_id}",
        )


@entry("asset.changed", subject=ASSET_SUBJECT, since="0.2")
class AssetChanged(StateEntry):
    """The title, the tags or the dataset of a work were changed."""


@entry("asset.measured", subject=ASSET_SUBJECT, since="0.3")
class AssetMeasured(StateEntry):
    """The file of a work from before version 0.3 was read for its size as people see it, and for what else it holds."""


@entry("asset.status_changed", subject=ASSET_SUBJECT)
class AssetStatusChanged(StateEntry):
    """A work was put into quarantine or taken out, or a person decided on an upload that waited for review."""

    status: Annotated[str, "The status from now on."]
    sha256: Annotated[str, "SHA-256 of the file."]


@entry("asset.redacted", subject=ASSET_SUBJECT, since="0.2")
class AssetRedacted(StateEntry):
    """The personal data of a work was deleted with that of its creator, so its commitments can no longer be opened."""


@entry("asset.adopted", subject=ASSET_SUBJECT, since="0.2")
class AssetAdopted(StateEntry):
    """A work older than recorded states was recorded as it was at the upgrade."""


@entry("upload_review.opened", subject=REVIEW_SUBJECT, since="0.3")
class UploadReviewOpened(StateEntry):
    """An upload waits until a person has decided on it. Everybody can read the log, so it does not say why."""


@entry("upload_review.decided", subject=REVIEW_SUBJECT, since="0.3")
class UploadReviewDecided(StateEntry):
    """A person decided on an upload that waited, or decided anew."""


@entry("dataset.created", subject=DATASET_SUBJECT)
class DatasetCreated(StateEntry):
    """A dataset was created."""

    fields: Annotated[tuple[str, ...], "Names of the fields that were filled in."]


@entry("dataset.changed", subject=DATASET_SUBJECT)
class DatasetChanged(StateEntry):
    """The name or description of a dataset was changed."""

    fields: Annotated[tuple[str, ...], "Names of the fields that were changed."]


@entry("dataset.deleted", subject=DATASET_SUBJECT)
class DatasetDeleted(StateEntry):
    """A dataset without works was deleted."""


@entry("dataset.adopted", subject=DATASET_SUBJECT, since="0.2")
class DatasetAdopted(StateEntry):
    """A dataset older than recorded states was recorded as it was at the upgrade."""


@entry(
    "consent_level.changed",
    subject=LEVEL_SUBJECT,
    retired="0.2",
    unmatched="Levels were put on record as a whole by `consent_level.adopted`.",
)
class ConsentLevelChanged(Entry):
    """A consent level was created or changed, before levels had versions."""

    level: Annotated[str, "Slug of the level."]
    rank: Annotated[int, "Its rank from then on."]
    text_sha256: Annotated[str, "SHA-256 of its name and description as canonical JSON."]
    pairs: Annotated[tuple[str, ...], "The pairs of action and purpose that it permitted from then on."]
    added: Annotated[tuple[str, ...], "Pairs that it did not permit before."]
    removed: Annotated[tuple[str, ...], "Pairs that it permitted before."]
    creators: Annotated[int, "How many creators had ever granted it; their epochs went up by one."]


@entry("consent_level.adopted", subject=LEVEL_SUBJECT, since="0.2")
class ConsentLevelAdopted(StateEntry):
    """A consent level from before its versions were on record was put on record as version 1."""


@entry("consent_level.version_in_force", subject=LEVEL_SUBJECT, receipt="consent-level-version/v1", since="0.2")
class ConsentLevelVersionInForce(StateEntry):
    """A new version of a consent level came into force: approved by a second person, or provably narrower."""

    proposal: Annotated[UUID, "Id of the proposal that it was."]
    direction: Annotated[str, "`narrower`, `wider`, `label`, or `mixed` for narrower with another label."]
    authors: Annotated[tuple[str, ...], "Who wrote any of it."]
    approved_by: Annotated[str, "Who put it into force: none of the authors, unless it is narrower."]
    gained: Annotated[tuple[str, ...], "Pairs that the version before it did not permit, for grants from now on."]
    lost: Annotated[tuple[str, ...], "Pairs that the version before it permitted; earlier grants lose them at once."]
    creators: Annotated[int, "How many creators lost something that they had granted; their epochs went up by one."]


@entry("consent_level_proposal.changed", subject=LEVEL_PROPOSAL_SUBJECT, since="0.2")
class ConsentLevelProposalChanged(ProposalChanged):
    """A proposed version of a consent level was written, edited, approved, rejected or withdrawn."""
