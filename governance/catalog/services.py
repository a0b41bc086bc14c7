"""Use cases of the catalogue about consent. Consent levels are in `levels`.

Locks are taken in this order: consent level, creators by id, asset. Every change of what a creator permits locks
the creator's row and raises its consent epoch in the same transaction, so that permits bound to the old epoch are void.
"""

from typing import Unpack
from uuid import UUID

from django.db import transaction

from governance.audit.evidence.receipts import record_with_receipt
from governance.audit.types import Actor
from governance.catalog import terms
from governance.catalog.choices import GrantKind
from governance.catalog.entries import ConsentGranted, ConsentWithdrawn, creator_ref
from governance.catalog.epochs import begin_epoch
from governance.catalog.models import Asset, ConsentGrant, ConsentLevel, ConsentLevelVersion, Creator
from governance.catalog.receipts import consent_statement
from governance.catalog.types import ConsentTerms
from governance.kernel import clock
from governance.kernel.canonical import digest


def record_grant(
    *,
    creator: Creator,
    asset: Asset | None,
    method: str,
    actor: Actor,
    evidence_digest: str = "",
    **granted: Unpack[ConsentTerms],
) -> ConsentGrant:
    """Record what a creator permits: for one asset, or (`asset` None) as the default for assets without a statement.

    It replaces earlier statements. `method` is one of GrantMethod, `evidence_digest` the SHA-256 of
    the document that proves it, if there is one. Raises ConsentInvalid that names the field.
    """
    now = clock.now()
    checked = terms.check_terms(granted, now=now)
    terms.check_method(method)
    terms.check_evidence_digest(evidence_digest)
    _check_owner(creator, asset)
    with transaction.atomic():
        version = _agreed_version(checked.level, granted.get("level_version"))
        grant = ConsentGrant.objects.create(
            kind=GrantKind.GRANT,
            creator=creator,
            asset=asset,
            level=checked.level,
            level_version=version,
            regions=checked.regions,
            partners_allowed=checked.partners_allowed,
            partners_excluded=checked.partners_excluded,
            valid_from=checked.valid_from,
            valid_until=checked.valid_until,
            method=method,
            evidence_digest=evidence_digest,
            epoch=begin_epoch(creator),
            recorded_by_type=actor.type,
            recorded_by_id=actor.id,
            created_at=now,
        )
        entry = ConsentGranted.of(grant)
        record_with_receipt(
            entry,
            subject=creator_ref(creator),
            actor=actor,
            **consent_statement(creator, "granted", entry.to_data()),
        )
    return grant


def record_withdrawal(
    *, creator: Creator, asset: Asset | None, everything: bool, method: str, actor: Actor
) -> ConsentGrant:
    """Withdraw consent at once: for one asset, as the default (`asset` None), or for `everything` the creator made.

    It ends every earlier statement, including those with a later start; only a new grant permits again.
    Returns the withdrawal; for `everything` that of the default. Raises ConsentInvalid that names the field.
    """
    terms.check_method(method)
    _check_owner(creator, asset)
    if everything and asset is not None:
        raise terms.invalid("everything", "Either one asset or everything can be withdrawn, not both.")
    now = clock.now()
    with transaction.atomic():
        epoch = begin_epoch(creator)
        covered = [None, *_assets_with_statements(creator)] if everything else [asset.id if asset else None]
        withdrawals = ConsentGrant.objects.bulk_create(
            ConsentGrant(
                kind=GrantKind.WITHDRAWAL,
                creator=creator,
                asset_id=asset_id,
                valid_from=now,
                method=method,
                epoch=epoch,
                recorded_by_type=actor.type,
                recorded_by_id=actor.id,
                created_at=now,
            )
            for asset_id in covered
        )
        entry = ConsentWithdrawn(
            statement=withdrawals[0].id,
            asset=withdrawals[0].asset_id,
            method=method,
            epoch=epoch,
            everything=everything,
            statements=len(withdrawals),
            assets_sha256=digest(sorted(str(asset_id) for asset_id in covered if asset_id is not None)),
        )
        record_with_receipt(
            entry,
            subject=creator_ref(creator),
            actor=actor,
            **consent_statement(creator, "withdrawn", entry.to_data()),
        )
    return withdrawals[0]


def _check_owner(creator: Creator, asset: Asset | None) -> None:
    if asset is not None and asset.creator_id != creator.id:
        raise terms.invalid("asset", "The asset belongs to another creator.")


def _agreed_version(level: ConsentLevel, agreed: ConsentLevelVersion | None) -> ConsentLevelVersion:
    """Hold the level, so that a new version either sees the grant or comes before it; return the version in force.

    Nobody agrees to a version that they did not read: another than `agreed`, where that is given, is refused.
    """
    if not ConsentLevel.objects.select_for_update(no_key=True).filter(pk=level.pk).exists():
        raise terms.invalid("level", "There is no such consent level.")
    in_force = ConsentLevelVersion.objects.get(pk=ConsentLevel.objects.values("in_force").get(pk=level.pk)["in_force"])
    if agreed is not None and agreed.pk != in_force.pk:
        raise terms.invalid("level", f"Version {in_force.number} of the level is in force now. Look at its uses again.")
    return in_force


def _assets_with_statements(creator: Creator) -> list[UUID]:
    stated = ConsentGrant.objects.filter(creator=creator, asset__isnull=False)
    return list(stated.order_by("asset_id").values_list("asset_id", flat=True).distinct())
