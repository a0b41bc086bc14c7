"""What the catalogue puts in the ledger: ids, digests and codes, never a name, a title or an address."""

from collections.abc import Collection

from governance.audit.types import SubjectRef
from governance.catalog.models import Asset, ConsentGrant, Creator
from governance.kernel.canonical import Json, timestamp


def creator_ref(creator: Creator) -> SubjectRef:
    """Return how the ledger names a creator."""
    return SubjectRef("creator", str(creator.id))


def asset_ref(asset: Asset) -> SubjectRef:
    """Return how the ledger names an asset."""
    return SubjectRef("asset", str(asset.id))


def statement_entry(statement: ConsentGrant) -> dict[str, Json]:
    """Return what a grant and a withdrawal have in common."""
    return {
        "statement": str(statement.id),
        "asset": str(statement.asset_id) if statement.asset_id else None,
        "method": str(statement.method),
        "epoch": statement.epoch,
    }


def grant_entry(grant: ConsentGrant) -> dict[str, Json]:
    """Return a grant with its terms."""
    return statement_entry(grant) | {
        "level": grant.level.slug if grant.level else None,
        "regions": list(grant.regions),
        "partners_allowed": list(grant.partners_allowed),
        "partners_excluded": list(grant.partners_excluded),
        "valid_from": timestamp(grant.valid_from),
        "valid_until": timestamp(grant.valid_until) if grant.valid_until else None,
        "evidence_sha256": grant.evidence_digest,
    }


def pair_codes(pairs: Collection[tuple[str, str]]) -> list[Json]:
    """Return (action, purpose) pairs as sorted "action:purpose" texts."""
    return [f"{action}:{purpose}" for action, purpose in sorted(pairs)]


def registration_entry(asset: Asset) -> dict[str, Json]:
    """Return what is known of an asset when it is taken in."""
    return {
        "creator": str(asset.creator_id),
        "dataset": str(asset.dataset_id) if asset.dataset_id else None,
        "sha256": asset.sha256,
        "size": asset.size,
        "media_type": asset.media_type,
        "width": asset.width,
        "height": asset.height,
        "uploaded_by": f"{asset.uploaded_by_type}:{asset.uploaded_by_id}",
    }
