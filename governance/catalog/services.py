"""Use cases of the catalogue about consent and consent levels.

Locks are taken in this order: consent level, creators by id, asset. Whoever changes what a creator permits holds the
creator's row and raises its consent epoch in the same transaction, so that permits bound to the old epoch are void.
"""

from collections.abc import Iterable
from typing import Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from governance.audit.evidence.receipts import record_with_receipt
from governance.audit.recording.record import write_entry
from governance.audit.types import Actor, SubjectRef
from governance.catalog import terms
from governance.catalog.choices import GrantKind
from governance.catalog.entries import ConsentGranted, ConsentWithdrawn, creator_ref, pair_codes
from governance.catalog.epochs import begin_epoch
from governance.catalog.models import Asset, ConsentGrant, ConsentLevel, ConsentPair, Creator
from governance.catalog.receipts import consent_statement
from governance.catalog.types import ConsentTerms
from governance.kernel import clock
from governance.kernel.canonical import Json, digest


def record_grant(
    *,
    creator: Creator,
    asset: Asset | None,
    method: str,
    actor: Actor,
    evidence_digest: str = "",
    **granted: Unpack[ConsentTerms],
) -> ConsentGrant:
    """Put on record what a creator permits, for one asset or (`asset` None) as the default for all without a statement.

    It takes the place of the statements before it. `method` is one of GrantMethod, `evidence_digest` the SHA-256 of
    the document that proves it, if there is one. Raises ConsentInvalid that names the field.
    """
    now = clock.now()
    checked = terms.check_terms(granted, now=now)
    terms.check_method(method)
    terms.check_evidence_digest(evidence_digest)
    _check_owner(creator, asset)
    with transaction.atomic():
        _lock_level(checked.level)
        grant = ConsentGrant.objects.create(
            kind=GrantKind.GRANT,
            creator=creator,
            asset=asset,
            level=checked.level,
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
    """Take consent back at once: for one asset, as the default (`asset` None), or for `everything` the creator made.

    It is final for every statement before it, also for those that were to begin later; only a new grant permits again.
    Returns the withdrawal, for `everything` the one of the default. Raises ConsentInvalid that names the field.
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


def save_consent_level(
    *, slug: str, name: str, rank: int, description: str, pairs: Iterable[tuple[str, str]], actor: Actor
) -> ConsentLevel:
    """Create the consent level `slug`, or change it to be as given; saving it unchanged leaves no trace.

    A change of `pairs`, the permitted (action, purpose) pairs, raises the epoch of every creator who ever granted the
    level. Raises ConsentLevelInvalid that names the field.
    """
    terms.check_level(slug=slug, name=name, rank=rank)
    wanted = terms.check_pairs(pairs)
    with transaction.atomic():
        level = ConsentLevel.objects.select_for_update(no_key=True).filter(slug=slug).first()
        before = _as_kept(level)
        level = level or ConsentLevel(slug=slug)
        level.name, level.rank, level.description = name, rank, description
        if before == (name, rank, description, wanted):
            return level
        _save_level(level)
        had = before[3] if before else set()
        _replace_pairs(level, had, wanted)
        data: dict[str, Json] = {
            "level": slug,
            "rank": rank,
            "text_sha256": digest([name, description]),
            "pairs": [*pair_codes(wanted)],
            "added": [*pair_codes(wanted - had)],
            "removed": [*pair_codes(had - wanted)],
            "creators": _raise_epochs_of_users(level) if had != wanted else 0,
        }
        write_entry(
            kind="consent_level.changed", subject=SubjectRef("consent_level", str(level.id)), actor=actor, data=data
        )
    return level


def _check_owner(creator: Creator, asset: Asset | None) -> None:
    if asset is not None and asset.creator_id != creator.id:
        raise terms.invalid("asset", "The asset belongs to another creator.")


def _raise_epochs_of_users(level: ConsentLevel) -> int:
    users = ConsentGrant.objects.filter(level=level).values("creator")
    locked = Creator.objects.select_for_update(no_key=True).filter(id__in=users).order_by("id")
    found = list(locked.values_list("id", flat=True))
    return Creator.objects.filter(id__in=found).update(consent_epoch=F("consent_epoch") + 1)


def _lock_level(level: ConsentLevel) -> None:
    """Hold the level, so that a change of its pairs either sees the new grant or comes before it."""
    if not ConsentLevel.objects.select_for_update(no_key=True).filter(pk=level.pk).exists():
        raise terms.invalid("level", "There is no such consent level.")


def _assets_with_statements(creator: Creator) -> list[UUID]:
    stated = ConsentGrant.objects.filter(creator=creator, asset__isnull=False)
    return list(stated.order_by("asset_id").values_list("asset_id", flat=True).distinct())


def _as_kept(level: ConsentLevel | None) -> tuple[str, int, str, set[tuple[str, str]]] | None:
    if level is None:
        return None
    return level.name, level.rank, level.description, set(level.pairs.values_list("action", "purpose"))


def _save_level(level: ConsentLevel) -> None:
    try:
        with transaction.atomic():
            level.save()
    except IntegrityError as error:
        raise terms.level_invalid("name", "Another consent level has this name.") from error


def _replace_pairs(level: ConsentLevel, had: set[tuple[str, str]], wanted: set[tuple[str, str]]) -> None:
    for action, purpose in had - wanted:
        level.pairs.filter(action=action, purpose=purpose).delete()
    new = sorted(wanted - had)
    ConsentPair.objects.bulk_create(ConsentPair(level=level, action=action, purpose=purpose) for action, purpose in new)
