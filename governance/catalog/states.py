"""The recorded states of creators, datasets and works, with personal data as commitments.

A creator's consent epoch is not part of its state: every entry about consent has the epoch that it began.
"""

from django.db.models import QuerySet, Subquery

from governance.audit.evidence.commitments import commitment_of, newest_salt, newest_salts
from governance.audit.recording.states import RecordedObject, State, recorded_object
from governance.audit.types import SubjectRef
from governance.catalog.models import Asset, ConsentLevel, ConsentLevelProposal, Creator, Dataset, UploadReview
from governance.catalog.proposals import proposal_state
from governance.kernel.canonical import sha256_hex

CREATOR_SUBJECT = "creator"
ASSET_SUBJECT = "asset"
DATASET_SUBJECT = "dataset"
REVIEW_SUBJECT = "upload_review"
LEVEL_SUBJECT = "consent_level"
LEVEL_PROPOSAL_SUBJECT = "consent_level_proposal"
#: Fields of a creator and of a work that may hold personal data.
CREATOR_PERSONAL = ("display_name", "email", "status_reason")
ASSET_PERSONAL = ("title", "status_reason")
DESCRIPTION_CHARACTERS = 4000


def creators() -> QuerySet[Creator]:
    """Return all creators, each with the salts that its state needs."""
    return Creator.objects.annotate(**_annotated(CREATOR_SUBJECT, CREATOR_PERSONAL))


def assets() -> QuerySet[Asset]:
    """Return all works, each with the salts that its state needs."""
    return Asset.objects.annotate(**_annotated(ASSET_SUBJECT, ASSET_PERSONAL))


def creator_state(creator: Creator) -> State:
    """Return the recorded state of a creator."""
    return {
        "slug": creator.slug,
        "region": creator.region,
        "status": creator.status,
        "uploaders": [*creator.uploaders],
        "erased": creator.erased_at is not None,
        **_commitments(creator, CREATOR_SUBJECT, CREATOR_PERSONAL),
    }


def asset_state(asset: Asset) -> State:
    """Return the recorded state of a work. The bytes and their digest never change: `asset.registered` has them.

    What the file holds is part of it for works that were measured (`catalog.measuring`).
    """
    return {
        "creator": str(asset.creator_id),
        "dataset": str(asset.dataset_id) if asset.dataset_id else None,
        "tags": [*asset.tags],
        "status": asset.status,
        **_measured(asset),
        **_commitments(asset, ASSET_SUBJECT, ASSET_PERSONAL),
    }


def _measured(asset: Asset) -> State:
    if asset.metadata_kinds is None:
        return {}
    return {
        "width": asset.width,
        "height": asset.height,
        "left_out": [f"{each['kind']}: {each['bytes']} bytes" for each in asset.left_out],
        "metadata": [*asset.metadata_kinds],
    }


def dataset_state(dataset: Dataset) -> State:
    """Return the recorded state of a dataset."""
    return {"slug": dataset.slug, "name": dataset.name, "description": recorded_text(dataset.description)}


def review_state(review: UploadReview) -> State:
    """Return the recorded state of an upload's review. Everybody can read the log, so it does not say the cause."""
    return {
        "asset": str(review.asset_id),
        "decision": review.decision,
        "displaced": [*sorted(str(each) for each in review.displaced)],
    }


def level_state(level: ConsentLevel) -> State:
    """Return what the ledger says of a consent level: its version in force, whole."""
    version = level.in_force
    return {
        "slug": level.slug,
        "version": version.number,
        "name": version.name,
        "rank": version.rank,
        "description": recorded_text(version.description),
        "pairs": [*version.pairs],
    }


def recorded_text(text: str) -> str:
    """Return a text as states hold it: the text itself, or `sha256:` and its digest if it is too long for an entry.

    Services refuse longer texts; older databases may have some.
    """
    return text if len(text) <= DESCRIPTION_CHARACTERS else f"sha256:{sha256_hex(text.encode())}"


def _annotated(subject: str, names: tuple[str, ...]) -> dict[str, Subquery]:
    return {_salt(name): newest_salt(subject, name) for name in names}


def _commitments(row: Creator | Asset, subject: str, names: tuple[str, ...]) -> State:
    """Return `{"commitment": ...}` for each personal value, by name; None for an empty value and one without a salt."""
    columns = vars(row)
    salts = (
        {name: columns[_salt(name)] for name in names}
        if all(_salt(name) in columns for name in names)
        else newest_salts(SubjectRef(subject, str(row.pk)))
    )
    return {name: _commitment(name, columns[name], salts.get(name)) for name in names}


def _commitment(name: str, value: str, salt: bytes | memoryview | None) -> State | None:
    return {"commitment": commitment_of(name=name, salt=bytes(salt), value=value)} if value and salt else None


def _salt(name: str) -> str:
    return f"salt_of_{name}"


CREATORS = recorded_object(
    RecordedObject(
        subject=CREATOR_SUBJECT,
        noun="creator",
        rows=creators,
        key=lambda creator: str(creator.pk),
        slug=lambda creator: creator.slug,
        state=creator_state,
    )
)
ASSETS = recorded_object(
    RecordedObject(
        subject=ASSET_SUBJECT,
        noun="work",
        rows=assets,
        key=lambda asset: str(asset.pk),
        slug=lambda asset: str(asset.pk),
        state=asset_state,
    )
)
DATASETS = recorded_object(
    RecordedObject(
        subject=DATASET_SUBJECT,
        noun="dataset",
        rows=Dataset.objects.all,
        key=lambda dataset: str(dataset.pk),
        slug=lambda dataset: dataset.slug,
        state=dataset_state,
    )
)
UPLOAD_REVIEWS = recorded_object(
    RecordedObject(
        subject=REVIEW_SUBJECT,
        noun="claim",
        rows=UploadReview.objects.all,
        key=lambda review: str(review.pk),
        slug=lambda review: str(review.pk),
        state=review_state,
        named_by="asset",
    )
)
CONSENT_LEVELS = recorded_object(
    RecordedObject(
        subject=LEVEL_SUBJECT,
        noun="consent level",
        rows=lambda: ConsentLevel.objects.select_related("in_force"),
        key=lambda level: str(level.pk),
        slug=lambda level: level.slug,
        state=level_state,
    )
)
CONSENT_LEVEL_PROPOSALS = recorded_object(
    RecordedObject(
        subject=LEVEL_PROPOSAL_SUBJECT,
        noun="consent level proposal",
        rows=lambda: ConsentLevelProposal.objects.select_related("level__in_force", "base"),
        key=lambda proposal: str(proposal.pk),
        slug=lambda proposal: str(proposal.pk),
        state=lambda proposal: proposal_state(proposal, base=proposal.base.number if proposal.base else None),
    )
)
